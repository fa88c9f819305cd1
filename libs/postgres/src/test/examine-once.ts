import {
  blindFromError,
  isBlindSpot,
  type Adapter,
  type AnyDiagnostic,
  type Look,
  type Pair,
  type Read,
  type Relation,
  type Verdict,
} from '@starr/kernel';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { limitOf, type MeteredLimit } from './lab-target.ts';

type PostgresAdapter = Adapter<PostgresRequest, PostgresAct>;

export interface Examined {
  readonly verdict: Verdict;
  readonly relations: readonly Relation[];
  readonly limit: MeteredLimit;
  readonly ms: number;
}

/** One look at a read, as the host takes it: what it saw, or why not. */
export async function see(
  read: Read<unknown, PostgresRequest>,
  adapter: PostgresAdapter,
  look: Look,
  limit = limitOf(),
): Promise<unknown> {
  if (read.wrap?.as === 'optional') return see(read.wrap.inner, adapter, look, limit);
  if (read.wrap?.as === 'windowed') {
    const before = await see(read.wrap.inner, adapter, look, limit);
    if (isBlindSpot(before)) return before;
    const after = await see(read.wrap.inner, adapter, look, limit);
    return isBlindSpot(after) ? after : ({ before, after, elapsedMs: 10 } satisfies Pair<unknown>);
  }
  const request = read.request(look);
  if (isBlindSpot(request)) return request;
  try {
    const bounded = { ...limit, timeoutMs: read.timeoutMs, maxRows: read.maxRows };
    return read.parse(await adapter.perform(request, bounded), look);
  } catch (error) {
    return blindFromError(error);
  }
}

/** One diagnostic on one server, with all its reads at once, as the host runs it. */
export async function examineOnce(
  diagnostic: AnyDiagnostic<PostgresRequest>,
  adapter: PostgresAdapter,
  overrides: Readonly<Record<string, number>> = {},
): Promise<Examined> {
  const limit = limitOf();
  const startedAt = performance.now();
  const done = (verdict: Verdict, relations: readonly Relation[] = []): Examined => ({
    verdict,
    relations,
    limit,
    ms: performance.now() - startedAt,
  });
  let look: Look;
  try {
    const greeting = await adapter.greet(limit);
    look = { ...greeting, windowMs: 1_800_000, target: 'orders', options: {} };
  } catch (error) {
    return done({ measured: [], blind: [blindFromError(error)] });
  }
  const entries = await Promise.all(
    Object.entries(diagnostic.reads).map(
      async ([name, read]) => [name, read, await see(read, adapter, look, limit)] as const,
    ),
  );
  const relations = entries.flatMap(([, read, value]) =>
    isBlindSpot(value) ? [] : [...(read.relate?.(value, look) ?? [])],
  );
  const blind = entries.flatMap(([, read, value]) =>
    isBlindSpot(value) && read.wrap?.as !== 'optional' ? [value] : [],
  );
  if (blind.length > 0) return done({ measured: [], blind }, relations);
  const seen = Object.fromEntries(entries.map(([name, , value]) => [name, value]));
  const limits = Object.fromEntries(
    Object.entries(diagnostic.thresholds as Record<string, { value: number }>).map(
      ([name, { value }]) => [name, overrides[name] ?? value],
    ),
  );
  return done(diagnostic.judge(seen as never, limits, look), relations);
}
