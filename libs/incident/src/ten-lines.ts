import type { Answer, BlindAnswer } from './answer.ts';
import { stepText } from './report-next.ts';
import { harmless } from './text-layout.ts';
import { momentText } from './time-text.ts';

const MAX_LINES = 10;
const MAX_LINE = 200;
const MAX_MOMENTS = 3;

export interface TenLinesOptions {
  /** INC-7. Absent: nothing was recorded. */
  readonly incident?: string;
  readonly traceId?: string;
}

/** The cause in at most ten lines, for where people are woken: the answer, why, what could not be seen, what to do. */
export function tenLines(
  answer: Answer,
  { incident, traceId }: TenLinesOptions = {},
): readonly string[] {
  const [cause, ...others] = answer.causes;
  const urgent = answer.urgent === undefined ? '' : ` ${answer.urgent}.`;
  const names = others.map(({ title }) => title).join('; ');
  const lines = [
    `${answer.environment}: ${answer.headline}${urgent}`,
    ...(cause === undefined
      ? answer.findings.slice(0, MAX_MOMENTS).map(({ severity, says }) => `${severity}: ${says}`)
      : [
          `explains ${cause.explains.length} of ${answer.findings.length} findings, ${cause.against.length} against`,
          ...cause.timeline
            .slice(0, MAX_MOMENTS)
            .map(({ at, says }) => `${momentText(at, answer.endedAt)} ${says}`),
          ...(cause.path.length === 0 ? [] : [`path: ${cause.path.join('; ')}`]),
        ]),
    ...(names === '' ? [] : [`also: ${names}`]),
    ...couldNotLook(answer.blind),
    ...stepsOf(answer, incident),
    ...marksOf(incident, traceId),
  ];
  return lines.slice(0, MAX_LINES).map((line) => shortened(harmless(line)));
}

/** The body of a Slack incoming webhook. */
export function slackBody(lines: readonly string[]): { readonly text: string } {
  const text = lines.map(escapeSlack).join('\n');
  return { text };
}

export interface PagerDutyOptions {
  readonly routingKey: string;
  /** Equal keys are one alert there: the incident's id, or its fingerprint. */
  readonly dedupKey: string;
}

/** A PagerDuty Events API v2 event: the first line is its summary, all of them its details. */
export function pagerDutyBody(
  answer: Answer,
  lines: readonly string[],
  { routingKey, dedupKey }: PagerDutyOptions,
) {
  return {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: dedupKey,
    payload: {
      summary: (lines[0] ?? answer.headline).slice(0, 1024),
      source: answer.environment,
      severity: answer.severity === 'none' ? 'info' : answer.severity,
      timestamp: answer.endedAt.toISOString(),
      custom_details: { starr: lines.join('\n') },
    },
  } as const;
}

function couldNotLook(blind: readonly BlindAnswer[]): readonly string[] {
  const whole = blind.filter(({ isPartial }) => !isPartial);
  const [first] = whole;
  if (first === undefined) return [];
  const more = whole.length === 1 ? '' : ` and ${whole.length - 1} more`;
  return [`could not look: ${first.diagnostic} on ${first.target} (${first.why})${more}`];
}

/** The first of each role: the next act is one, not a list. */
function stepsOf(answer: Answer, incident: string | undefined): readonly string[] {
  const steps = answer.causes.flatMap((cause) => cause.steps);
  return (['relieve', 'cure'] as const).flatMap((role) => {
    const step = steps.find((one) => one.role === role);
    if (step === undefined) return [];
    const command = incident === undefined ? '' : `starr plan ${incident}.${step.number}: `;
    return [`${role}: ${command}${stepText(step)}`];
  });
}

function marksOf(incident: string | undefined, traceId: string | undefined): readonly string[] {
  const marks = [
    ...(incident === undefined ? [] : [`starr show ${incident}`]),
    ...(traceId === undefined ? [] : [`trace ${traceId}`]),
  ];
  return marks.length === 0 ? [] : [marks.join(' · ')];
}

function shortened(line: string): string {
  const points = Array.from(line);
  return points.length <= MAX_LINE ? line : `${points.slice(0, MAX_LINE - 1).join('')}…`;
}

/** Slack reads these three as markup; nothing of a patient may become a link or a mention. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
