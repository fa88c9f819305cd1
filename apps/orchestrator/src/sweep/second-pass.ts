import {
  entityKey,
  passageOf,
  type CheckResult,
  type Clock,
  type Entity,
  type Relation,
} from '@starr/kernel';
import { ATTRIBUTE, inSpan, SPAN } from '@starr/telemetry';
import type { RosterMember } from '../doctors/doctor-roster.ts';

const MOST_KEYS = 200;
/** How far from a finding a thing may be and still carry the path. */
const MOST_STEPS = 3;

/**
 * Healthy things produce no findings but carry the path: one bounded pass that asks all doctors what they know of the
 * things around the findings. What is late is left out; the path then ends earlier, and says so.
 */
export async function secondPass(
  members: readonly RosterMember[],
  results: readonly CheckResult[],
  options: { withinMs: number; clock: Clock; signal: AbortSignal },
): Promise<readonly Relation[]> {
  const keys = keysToResolve(results);
  if (keys.length === 0 || options.withinMs <= 0) return [];
  const late = new AbortController();
  const signal = AbortSignal.any([options.signal, late.signal]);
  const timeUp = options.clock.sleep(options.withinMs, options.signal).then(() => {
    late.abort();
    return [];
  });
  const answers = await Promise.all(
    members.map((member) => Promise.race([resolveAt(member, keys, signal), timeUp])),
  );
  return answers.flat();
}

async function resolveAt(
  { name, doctor }: RosterMember,
  keys: readonly Entity[],
  signal: AbortSignal,
): Promise<readonly Relation[]> {
  const attributes = { [ATTRIBUTE.doctor]: name };
  try {
    return await inSpan(SPAN.resolve(name), { attributes }, () => doctor.resolve(keys, signal));
  } catch {
    return []; // its checks are blind already, which is where it is said
  }
}

/** What findings and changes are about, and what hangs on it, nearest first; hubs are no way through. */
export function keysToResolve(results: readonly CheckResult[]): readonly Entity[] {
  const neighbours = neighboursOf(results.flatMap(({ relations }) => relations));
  const keys = new Map<string, Entity>();
  let ring = results.flatMap(({ verdict }) =>
    (verdict.findings ?? []).flatMap(({ about, involves = [] }) => [about, ...involves]),
  );
  for (let step = 0; step <= MOST_STEPS && ring.length > 0; step += 1) {
    const next: Entity[] = [];
    for (const entity of ring) {
      const key = entityKey(entity);
      if (keys.has(key)) continue;
      keys.set(key, entity);
      if (passageOf(entity.kind) !== 'no') next.push(...(neighbours.get(key) ?? []));
    }
    ring = next;
  }
  return [...keys.values()].slice(0, MOST_KEYS);
}

function neighboursOf(relations: readonly Relation[]): ReadonlyMap<string, readonly Entity[]> {
  const neighbours = new Map<string, Entity[]>();
  const add = (from: Entity, to: Entity) => {
    const key = entityKey(from);
    const known = neighbours.get(key);
    if (known) known.push(to);
    else neighbours.set(key, [to]);
  };
  for (const { from, to } of relations) {
    add(from, to);
    add(to, from);
  }
  return neighbours;
}
