import type { Played, Scenario } from './scenario.ts';

/** What one scenario scored. A control has no causes to name: anything found in it is a false alarm. */
export interface Score {
  readonly scenario: string;
  readonly top1: boolean | undefined;
  readonly top3: boolean | undefined;
  readonly path: boolean | undefined;
  readonly effect: boolean | undefined;
  readonly falseAlarms: number;
  readonly said: string;
  /** From the start of the stage to its end. */
  readonly tookMs?: number;
}

export function score({ id, kind }: Scenario, { truth, sweep, effect }: Played): Score {
  const { causes, findings } = sweep.answer;
  const said = causes.map(({ title }) => title).join(' | ') || 'no cause';
  if (kind === 'control') {
    return {
      scenario: id,
      top1: undefined,
      top3: undefined,
      path: undefined,
      effect: undefined,
      falseAlarms: causes.length + findings.length,
      said: [said, ...findings.map(({ diagnostic, says }) => `${diagnostic}: ${says}`)].join(' | '),
    };
  }
  const named = causes.map(({ playbook }) => playbook);
  const wanted = truth.causes.length;
  const isTrue = new Set([...truth.causes, ...(truth.alsoTrue ?? [])]);
  const [first] = causes;
  const text = first === undefined ? '' : [first.title, ...first.path].join('\n');
  return {
    scenario: id,
    // With two true causes the first two must be those two, in any order.
    top1: truth.causes.every((cause) => named.slice(0, wanted).includes(cause)),
    top3: truth.causes.every((cause) => named.slice(0, Math.max(3, wanted)).includes(cause)),
    path: truth.path.every((part) => text.includes(part)),
    effect: effect && effect.judged === effect.truth,
    falseAlarms: named.filter((cause) => !isTrue.has(cause)).length,
    said,
  };
}

/** Nothing that counts was missed. */
export function isPerfect({ top1, top3, path, effect, falseAlarms }: Score): boolean {
  return falseAlarms === 0 && [top1, top3, path, effect].every((good) => good !== false);
}

/** One line for a person. */
export function scoreLine(one: Score): string {
  const mark = (value: boolean | undefined) => (value === undefined ? '-' : value ? 'yes' : 'NO');
  const marks = (['top1', 'top3', 'path', 'effect'] as const).map(
    (name) => `${NAMES[name]} ${mark(one[name]).padEnd(4)}`,
  );
  const took = one.tookMs === undefined ? '' : `${Math.round(one.tookMs / 1000)} s  `;
  return `${one.scenario.padEnd(32)} ${marks.join('')} false alarms ${one.falseAlarms}  ${took}${one.said}`;
}

const NAMES = { top1: 'top-1', top3: 'top-3', path: 'path', effect: 'effect' } as const;

export interface Summary {
  readonly text: string;
  readonly isPerfect: boolean;
}

export function summarise(scores: readonly Score[]): Summary {
  const share = (pick: (score: Score) => boolean | undefined) => {
    const counted = scores.map(pick).filter((value) => value !== undefined);
    return { good: counted.filter(Boolean).length, of: counted.length };
  };
  const parts = {
    'top-1': share(({ top1 }) => top1),
    'top-3': share(({ top3 }) => top3),
    path: share(({ path }) => path),
    effect: share(({ effect }) => effect),
  };
  const alarms = scores.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0);
  const text = Object.entries(parts)
    .map(([name, { good, of }]) => `${name} ${good}/${of}`)
    .join(', ');
  return {
    text: `${text}, false alarms ${alarms}`,
    isPerfect: alarms === 0 && Object.values(parts).every(({ good, of }) => good === of),
  };
}
