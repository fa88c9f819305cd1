import { rotated, spreadOf, type Spread } from './statistics.ts';

/** Milliseconds of one run. */
export type Entrants<Name extends string> = Readonly<Record<Name, () => Promise<number>>>;

/**
 * One unmeasured round, so that nobody pays for cold caches, then rounds in which each runs once and the first place goes
 * round: what else the machine does hits all alike.
 */
export async function race<Name extends string>(
  entrants: Entrants<Name>,
  rounds: number,
): Promise<Readonly<Record<Name, Spread>>> {
  const names = Object.keys(entrants) as Name[];
  for (const name of names) await entrants[name]();
  const samples = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of rotated(names, round)) samples.get(name)?.push(await entrants[name]());
  }
  return Object.fromEntries(
    [...samples].map(([name, values]) => [name, spreadOf(values)]),
  ) as Record<Name, Spread>;
}
