import type { StarrRecord } from './record.ts';
import { harmless } from './text-layout.ts';

/** A record for people and for where incidents are kept. Text of a patient cannot become markup. */
export function recordMarkdown(record: StarrRecord): string {
  const { incident, title, environment, status, situation, traceIds } = record;
  const blocks: readonly string[] = [
    `# ${incident}: ${text(title)}`,
    `${text(environment)} · ${status} · ${situation.severity}`,
    ...situationBlocks(record),
    ...taskBlocks(record),
    ...actionBlocks(record),
    ...resultBlocks(record),
    ...reflectionBlocks(record),
    traceIds.length === 0 ? '' : `Traces: ${traceIds.map((id) => `\`${id}\``).join(', ')}`,
  ];
  return blocks
    .filter((block) => block !== '')
    .join('\n\n')
    .concat('\n');
}

function situationBlocks({ situation }: StarrRecord): readonly string[] {
  const { headline, detectedAt, detectedBy, beganAt, impact, path } = situation;
  const facts = [
    `Detected ${moment(detectedAt)} by ${text(detectedBy)}`,
    ...(beganAt === undefined ? [] : [`Began ${moment(beganAt)}`]),
    ...impact.map((says) => `Users: ${text(says)}`),
    ...path.map((line) => `Path: ${text(line)}`),
  ];
  return ['## Situation', text(headline), facts.map((line) => `- ${line}`).join('\n')];
}

function taskBlocks({ task }: StarrRecord): readonly string[] {
  if (task.hypotheses.length === 0) return ['## Task', 'No cause was recognised.'];
  const rows = task.hypotheses.map(({ title, standing, explains, against, doubts }) => [
    text(title),
    standing,
    String(explains),
    String(against),
    text(doubts.join('; ')),
  ]);
  return ['## Task', table(['Hypothesis', 'Standing', 'Explains', 'Against', 'Doubts'], rows)];
}

function actionBlocks({ action }: StarrRecord): readonly string[] {
  const rows = action.timeline.map(({ at, who, says }) => [moment(at), text(who), text(says)]);
  return ['## Action', table(['When (UTC)', 'Who', 'What'], rows)];
}

function resultBlocks({ result }: StarrRecord): readonly string[] {
  const rows = result.plans.map(({ id, says, state, wanted = '', effect = '' }) => [
    id,
    text(says),
    state,
    text(wanted),
    text(effect),
  ]);
  return [
    '## Result',
    rows.length === 0
      ? 'No remedy was planned.'
      : table(['Plan', 'What', 'State', 'Wanted', 'Seen'], rows),
    titled('Remaining', result.remaining),
  ];
}

function reflectionBlocks({ reflection }: StarrRecord): readonly string[] {
  const { trigger, contributing, ruledOut, unproven, notLookedAt, items } = reflection;
  return [
    '## Reflection',
    trigger === undefined ? 'No trigger was found.' : `Trigger: ${text(trigger)}`,
    titled('Contributing', contributing),
    titled('Ruled out', ruledOut),
    titled('Unproven', unproven),
    titled('Not looked at', notLookedAt),
    titled('To do', items, '- [ ] '),
  ];
}

function titled(title: string, texts: readonly string[], mark = '- '): string {
  if (texts.length === 0) return '';
  return [`${title}:`, '', ...texts.map((one) => `${mark}${text(one)}`)].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function text(says: string): string {
  return harmless(says).replace(/[\\`*_[\]<>|#~&!]/g, (mark) => `\\${mark}`);
}

function moment(at: Date): string {
  return at.toISOString().slice(0, 19).replace('T', ' ');
}
