import { durationText } from '@starr/kernel';
import type { Answer, BlindAnswer, TargetCost } from './answer.ts';
import { plural } from './path.ts';
import { reportCause, reportPossible } from './report-cause.ts';
import { reportNext, type ReportPlan } from './report-next.ts';
import { GAP, harmless, labelled, plainStyle, type Style } from './text-layout.ts';
import { zonedText } from './time-text.ts';

export interface ReportOptions {
  /** INC-7. Absent: nothing was recorded. */
  readonly incident?: string;
  /** In hex. Absent: not traced. */
  readonly traceId?: string;
  /** Plans of the incident, to be shown instead of mere proposals. Default: none. */
  readonly plans?: readonly ReportPlan[];
  /** An IANA name; the local time is printed beside UTC. Default: UTC alone. */
  readonly timeZone?: string;
  /** Columns. Default and what the form is made for: 90. Least: 60. */
  readonly width?: number;
  /** Default: none. */
  readonly style?: Style;
}

/** What a person reads after a sweep: the answer first, then why, what could not be seen, and what to do. */
export function reportAnswer(answer: Answer, options: ReportOptions = {}): string {
  const width = Math.max(options.width ?? 90, 60);
  const style = options.style ?? plainStyle;
  const blocks: readonly (readonly string[])[] = [
    headOf(answer, options, width, style),
    ...answer.causes.map((cause) => reportCause(cause, { answer, width, style })),
    restOf(answer, width, style),
    possibleOf(answer, width, style),
    acceptedOf(answer, width, style),
    blindOf(answer, width, style),
    nextOf(answer, options, width, style),
    footOf(answer, options, width, style),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')
    .concat('\n');
}

function headOf(
  answer: Answer,
  { timeZone }: ReportOptions,
  width: number,
  style: Style,
): readonly string[] {
  const took = `${((answer.endedAt.getTime() - answer.startedAt.getTime()) / 1000).toFixed(1)} s`;
  const history =
    answer.historySince === undefined
      ? 'no history yet'
      : `history since ${answer.historySince.toISOString().slice(11, 16)}`;
  const first = [answer.environment, zonedText(answer.startedAt, timeZone), took, history];
  const unseen = answer.severity === 'none' && answer.blind.some(({ isPartial }) => !isPartial);
  const none = unseen ? 'BLIND' : 'OK';
  const label = { critical: 'CRITICAL', warning: 'WARNING', none }[answer.severity];
  const role = answer.severity === 'none' ? (unseen ? 'warning' : 'fine') : answer.severity;
  const urgent = answer.urgent === undefined ? '' : ` ${answer.urgent}.`;
  const says = `${harmless(answer.headline)}${urgent}`;
  const layout = { indent: 0, column: label.length + 2, width };
  return [
    style('dim', harmless(first.join(' · '))),
    ...labelled(label, says, layout).map((line) => style(role, line)),
  ];
}

/** What no cause explains, or that there is nothing of the kind. */
function restOf(answer: Answer, width: number, style: Style): readonly string[] {
  const unexplained = answer.findings.filter(({ id }) => answer.unexplained.includes(id));
  if (unexplained.length === 0) {
    if (answer.causes.length === 0) return [];
    return [
      answer.causes.length === 1 ? 'No second cause. Nothing unexplained.' : 'Nothing unexplained.',
    ];
  }
  return [
    style('heading', `UNEXPLAINED  ${unexplained.length} of ${answer.findings.length}`),
    ...unexplained.flatMap(({ severity, diagnostic, target, says }) =>
      labelled(severity, harmless(`${says} (${diagnostic} on ${target})`), {
        indent: 2,
        column: 12,
        width,
      }),
    ),
  ];
}

function possibleOf(answer: Answer, width: number, style: Style): readonly string[] {
  if (answer.possible.length === 0) return [];
  return [
    style('heading', 'POSSIBLE, not proven'),
    ...answer.possible.flatMap((cause) => reportPossible(cause, { answer, width, style })),
  ];
}

function acceptedOf(answer: Answer, width: number, style: Style): readonly string[] {
  if (answer.accepted.length === 0) return [];
  return [
    style('heading', `ACCEPTED  ${answer.accepted.length}`),
    ...answer.accepted.flatMap(({ finding, until, reason, acceptedBy }) =>
      labelled(
        '',
        harmless(
          `${finding.diagnostic} on ${finding.target}: ${finding.says} (until ${until.toISOString().slice(0, 10)}, ${acceptedBy}: ${reason})`,
        ),
        { indent: 2, column: 2, width },
      ),
    ),
  ];
}

function blindOf(answer: Answer, width: number, style: Style): readonly string[] {
  const whole = answer.blind.filter(({ isPartial }) => !isPartial);
  const partial = answer.blind.filter(({ isPartial }) => isPartial);
  const doctors = new Set(
    whole.flatMap(({ diagnostic, target }) => (diagnostic.endsWith('.*') ? target : [])),
  );
  const checks = answer.checks.filter(({ status }) => status === 'blind').length + doctors.size;
  const lines = (heading: string, spots: readonly BlindAnswer[]) =>
    spots.length === 0
      ? []
      : [style('heading', heading), ...spots.flatMap((spot) => blindLines(spot, width))];
  return [
    ...lines(`COULD NOT LOOK  ${checks} of ${answer.checks.length + doctors.size}`, whole),
    ...lines('SEEN IN PART', partial),
  ];
}

function blindLines(
  { diagnostic, target, detail, cure }: BlindAnswer,
  width: number,
): readonly string[] {
  const layout = { indent: 2, column: 4, width };
  return [
    ...labelled('', harmless(`${diagnostic}${GAP}${target}${GAP}${detail}`), {
      ...layout,
      column: 2,
    }),
    ...(cure === undefined ? [] : labelled('', harmless(`cure: ${cure}`), layout)),
  ];
}

function nextOf(
  answer: Answer,
  options: ReportOptions,
  width: number,
  style: Style,
): readonly string[] {
  const lines = reportNext(answer, {
    plans: options.plans ?? [],
    width,
    style,
    ...(options.incident !== undefined && { incident: options.incident }),
  });
  return lines.length === 0 ? [] : [style('heading', 'NEXT'), ...lines];
}

function footOf(
  answer: Answer,
  { incident, traceId }: ReportOptions,
  width: number,
  style: Style,
): readonly string[] {
  const healthy = answer.checks.filter(({ status }) => status === 'healthy').length;
  const all = incident === undefined ? '' : `: starr show ${incident} --all`;
  const marks = [
    ...(incident === undefined ? [] : [incident]),
    ...(traceId === undefined ? [] : [`trace ${traceId.slice(0, 12)}`]),
    `${healthy} healthy ${plural('check', healthy)}${all}`,
  ];
  const sleeping = answer.dormant.map(({ playbook }) => playbook);
  const cost = answer.cost.filter(({ footprint }) => Object.keys(footprint).length > 0);
  return [
    marks.join(' · '),
    ...(sleeping.length === 0
      ? []
      : labelled('asleep', sleeping.join(', '), { indent: 0, column: 8, width })),
    ...(cost.length === 0
      ? []
      : labelled('cost', cost.map(costText).join(' · '), { indent: 0, column: 6, width })),
  ].map((line) => style('dim', line));
}

/** `orders 1 connection, 9 queries, 11 ms`. */
function costText({ target, footprint }: TargetCost): string {
  const parts = Object.entries(footprint).map(([what, amount]) => {
    if (what.endsWith('Ms')) return durationText(amount);
    const count = Number.isInteger(amount) ? amount : Number(amount.toFixed(1));
    return `${count} ${count === 1 ? singular(what) : what}`;
  });
  return `${target} ${parts.join(', ')}`;
}

function singular(word: string): string {
  return word.endsWith('ies') ? `${word.slice(0, -3)}y` : word.replace(/s$/, '');
}
