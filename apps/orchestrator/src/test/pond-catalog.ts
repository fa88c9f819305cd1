import {
  defineDiagnostic,
  defineRemedy,
  DoctorError,
  type Adapter,
  type Catalog,
  type Outcome,
  type Read,
} from '@starr/kernel';
import { z } from 'zod';

/** A doctor of ponds, made with the kit: all that one needs beside serveDoctor. */
export interface LevelRequest {
  readonly look: 'level';
}
export interface DrainAct {
  readonly by: number;
}

const levelRead: Read<number, LevelRequest> = {
  id: 'pond.level',
  timeoutMs: 1500,
  maxRows: 1,
  request: () => ({ look: 'level' }),
  parse: (raw) => z.object({ level: z.number() }).parse(raw).level,
  relate: (_level, { target }) => [
    {
      from: { kind: 'pond', name: target },
      is: 'of',
      to: { kind: 'service', name: `garden-${target}` },
    },
  ],
};

const pondLevel = defineDiagnostic({
  id: 'pond.level',
  title: 'Level of a pond',
  explains: 'Above the limit the pond overflows.',
  replaces: ['a look over the fence'],
  reads: { level: levelRead },
  thresholds: { most: { value: 10, unit: 'count', says: 'full above it', source: 'this spec' } },
  measures: { level: { unit: 'count', says: 'the level' } },
  judge({ level }, { most }, { target }) {
    const about = { kind: 'pond', name: target };
    const measured = [{ name: 'level', about, value: level, limit: most }];
    if (level <= most) return { measured };
    const says = `${target} stands at ${level}`;
    return { measured, findings: [{ severity: 'critical', about, says, measured }] };
  },
});

const drain = defineRemedy({
  id: 'pond.drain',
  title: 'Drain the pond',
  explains: 'Takes water out, in steps.',
  params: z.strictObject({
    by: z.number().min(1),
    steps: z.number().min(1).max(9).default(1),
    holdMs: z.number().default(1200),
    withinMs: z.number().default(10_000),
  }),
  reads: { level: levelRead },
  plan({ by, steps, holdMs, withinMs }, { level }, { target }) {
    if (level <= 0) return { refused: `${target} is dry` };
    return drainPlan(target, Array<number>(steps).fill(by), { holdMs, withinMs });
  },
  undo: (receipts, _seen, { target }) =>
    drainPlan(
      target,
      receipts.map(({ act }) => -(act as { by: number }).by),
      { holdMs: 0, withinMs: 5000, above: -1000 },
    ),
});

function drainPlan(
  target: string,
  steps: readonly number[],
  { holdMs, withinMs, above }: { holdMs: number; withinMs: number; above?: number },
) {
  const about = { kind: 'pond', name: target };
  return {
    operations: steps.map((by) => ({
      act: { by },
      says: `take ${by} out of ${target}`,
      byHand: `bucket --out ${by} ${target}`,
      reversible: true,
      onRefused: 'stop' as const,
      onFailed: 'stop' as const,
    })),
    effect: {
      diagnostic: 'pond.level',
      about,
      measurement: 'level',
      ...(above === undefined ? { below: 11 } : { above }),
      settleMs: 50,
      holdMs,
      withinMs,
      onMiss: 'undo-if-worse' as const,
    },
    touches: [{ name: 'level', about, value: steps.length }],
    warnings: [],
  };
}

export const pondCatalog: Catalog<LevelRequest, DrainAct> = {
  diagnostics: [pondLevel],
  remedies: [drain],
  resolvers: [{ kinds: ['pond'], read: levelRead }],
};

export function createPondAdapter(url: string): Adapter<LevelRequest, DrainAct> {
  const ask = async (
    path: string,
    method: 'GET' | 'POST',
    signal: AbortSignal,
  ): Promise<unknown> => {
    try {
      const response = await fetch(`${url}${path}`, { method, signal });
      return await response.json();
    } catch (cause) {
      throw new DoctorError('TARGET_UNREACHABLE', { message: 'the pond does not answer', cause });
    }
  };
  return {
    greet: () => Promise.resolve({ version: '1', now: new Date() }),
    perform: (_request, limit) => {
      limit.spend('looks', 1);
      return ask('/level', 'GET', limit.signal);
    },
    async *apply({ by }, operationId, limit): AsyncGenerator<Outcome> {
      await ask(`/acts?id=${operationId}&by=${by}`, 'POST', limit.signal);
      yield { kind: 'outcome', outcome: 'applied', before: {}, after: { by } };
    },
    async probe({ by }, operationId, limit) {
      const known = z
        .object({ times: z.number(), held: z.number() })
        .parse(await ask(`/acts?id=${operationId}`, 'GET', limit.signal));
      if (known.times > 0) return { state: 'applied', before: {}, after: { by } };
      if (known.held > 0) return { state: 'indeterminate', says: 'an act is held at the pond' };
      return { state: 'not-applied', says: 'the pond has not seen it' };
    },
    close: () => Promise.resolve(),
  };
}
