import {
  DoctorError,
  entityKey,
  isBlindSpot,
  type Clock,
  type Entity,
  type Relation,
  type Resolver,
} from '@starr/kernel';
import { startReading, type TargetState } from './examine.ts';

export interface ResolveContext {
  readonly resolvers: readonly Resolver[];
  readonly states: readonly TargetState[];
  readonly clock: Clock;
  readonly pairGapMs: number;
}

const MOST_KEYS = 200;
const MOST_RELATIONS = 2000;
const MOST_STEPS = 4;
const BUDGET_MS = 1500;
/** The first pass of the same sweep may have asked the same. */
const REUSE_MS = 5000;

/** Relations within four steps of the keys, from the resolvers of their kinds. */
export async function resolve(
  context: ResolveContext,
  keys: readonly Entity[],
  signal: AbortSignal,
): Promise<readonly Relation[]> {
  if (keys.length > MOST_KEYS) {
    throw new DoctorError('WIRE_INVALID', {
      message: `keys holds ${keys.length}; allowed: at most ${MOST_KEYS}`,
      details: { field: 'keys' },
    });
  }
  const kinds = new Set(keys.map(({ kind }) => kind));
  const asked = context.resolvers.filter((resolver) =>
    resolver.kinds.some((kind) => kinds.has(kind)),
  );
  const found = await Promise.all(
    context.states.map((state) => relationsOf(context, state, asked, signal)),
  );
  return around(keys, found.flat());
}

async function relationsOf(
  context: ResolveContext,
  state: TargetState,
  resolvers: readonly Resolver[],
  signal: AbortSignal,
): Promise<Relation[]> {
  const evidenceNotBefore = new Date(context.clock.now().getTime() - REUSE_MS);
  const reading = startReading(
    context,
    state,
    { windowMs: 60_000, evidenceNotBefore },
    BUDGET_MS,
    signal,
  );
  const look = await reading.look();
  if (isBlindSpot(look)) return [];
  const seen = await Promise.all(
    resolvers.map(async ({ read }) => [read, (await reading.see(read)).value] as const),
  );
  return seen.flatMap(([read, value]) =>
    isBlindSpot(value) ? [] : [...(read.relate?.(value, look) ?? [])],
  );
}

/** Breadth first from the keys, so that a bound cuts off the farthest. */
function around(keys: readonly Entity[], relations: readonly Relation[]): Relation[] {
  const near = new Set(keys.map(entityKey));
  const kept = new Set<Relation>();
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const touching = relations.filter(
      (relation) =>
        !kept.has(relation) &&
        (near.has(entityKey(relation.from)) || near.has(entityKey(relation.to))),
    );
    if (touching.length === 0) break;
    for (const relation of touching) {
      if (kept.size >= MOST_RELATIONS) return [...kept];
      kept.add(relation);
      near.add(entityKey(relation.from)).add(entityKey(relation.to));
    }
  }
  return [...kept];
}
