import type { Answer, CauseAnswer } from './answer.ts';
import { plural } from './path.ts';
import { bothEnds, harmless, labelled, pad, wrapText, type Style } from './text-layout.ts';
import { momentText } from './time-text.ts';

/** Where the text beside a label begins. */
const COLUMN = 12;
const INDENT = 2;
/** Of a long timeline the first and the last are what a person needs. */
const MAX_MOMENTS = 8;

export interface CauseReport {
  readonly answer: Answer;
  readonly width: number;
  readonly style: Style;
}

/** A ranked cause: title, what happened when, the path, what else, what not. */
export function reportCause(
  cause: CauseAnswer,
  { answer, width, style }: CauseReport,
): readonly string[] {
  const beside = (label: string, text: string) =>
    labelled(label, harmless(text), { indent: INDENT, column: COLUMN, width });
  const joined = (label: string, texts: readonly string[]) =>
    texts.length === 0 ? [] : beside(label, texts.join(' · '));
  return [
    ...titleOf(cause, answer, width).map((line) => style('heading', line)),
    ...timelineOf(cause, answer, width),
    ...cause.path.flatMap((line, index) => beside(index === 0 ? 'path' : '', line)),
    ...joined('also', cause.also),
    ...cause.avoid.flatMap(({ remedy, because }) => beside('do not', `${remedy}: ${because}`)),
    ...joined('ruled out', cause.ruledOut),
    ...joined('unproven', cause.unproven),
  ];
}

/** One that is not grounded: what it would be, and why it is not said. */
export function reportPossible(cause: CauseAnswer, { width }: CauseReport): readonly string[] {
  const says = `${cause.title}: ${cause.standing}`;
  return [
    ...labelled('', harmless(says), { indent: INDENT, column: INDENT, width }),
    ...[...new Set(cause.doubts)].flatMap((doubt) =>
      labelled('', harmless(doubt), { indent: INDENT, column: INDENT + 2, width }),
    ),
  ];
}

function titleOf(cause: CauseAnswer, answer: Answer, width: number): readonly string[] {
  const all = answer.findings.length;
  const share = `explains ${cause.explains.length} of ${all} ${plural('finding', all)}, ${cause.against.length} against`;
  const [first = '', ...rest] = wrapText(harmless(cause.title), width - INDENT);
  const title = `${cause.number} ${first}`;
  const lines = bothEnds(title, rest.length === 0 ? share : '', width);
  if (rest.length === 0) return lines;
  const [last = '', ...between] = [...rest].reverse();
  return [
    title,
    ...between.reverse().map((line) => `  ${line}`),
    ...bothEnds(`  ${last}`, share, width),
  ];
}

function timelineOf(cause: CauseAnswer, answer: Answer, width: number): readonly string[] {
  const { timeline } = cause;
  const shown =
    timeline.length <= MAX_MOMENTS
      ? timeline
      : [...timeline.slice(0, MAX_MOMENTS - 2), ...timeline.slice(-1)];
  const lines = shown.flatMap(({ at, says, note }) => {
    const moment = momentText(at, answer.endedAt);
    const column = Math.max(COLUMN, moment.length + INDENT + 2);
    const text = wrapText(harmless(says), width - column);
    const last = text.length - 1;
    return text.flatMap((line, index) => {
      const start = index === 0 ? `${' '.repeat(INDENT)}${moment}` : '';
      return bothEnds(`${pad(start, column)}${line}`, index === last ? (note ?? '') : '', width);
    });
  });
  const left = timeline.length - shown.length;
  if (left === 0) return lines;
  return [...lines, `${' '.repeat(COLUMN)}${left} more between`];
}
