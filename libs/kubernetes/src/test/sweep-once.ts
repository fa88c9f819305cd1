import { execFile } from 'node:child_process';
import {
  blindFromError,
  isBlindSpot,
  type Adapter,
  type AnyDiagnostic,
  type BlindSpot,
  type Limit,
  type Look,
  type Outcome,
  type Plan,
  type Progress,
  type Read,
  type Relation,
  type Verdict,
} from '@starr/kernel';
import { kubernetesCatalog } from '../catalog.ts';
import type { KubernetesAct, KubernetesRequest } from '../request.ts';

export type KubernetesAdapter = Adapter<KubernetesRequest, KubernetesAct>;

export interface MeteredLimit extends Limit {
  readonly spent: Record<string, number>;
}

export function limitOf(more: Partial<Limit> = {}): MeteredLimit {
  const spent: Record<string, number> = {};
  return {
    timeoutMs: 4000,
    maxRows: 10_000,
    signal: new AbortController().signal,
    spend: (what, amount) => {
      spent[what] = (spent[what] ?? 0) + amount;
    },
    ...more,
    spent,
  };
}

export interface Swept {
  readonly verdicts: Readonly<Record<string, Verdict>>;
  readonly relations: readonly Relation[];
  readonly look: Look;
  readonly spent: Readonly<Record<string, number>>;
  readonly ms: number;
  readonly see: (read: Read<unknown, KubernetesRequest>) => Promise<unknown>;
}

/** All checks of the catalog on one cluster at once, every read performed once: as the host does it. */
export async function sweepOnce(adapter: KubernetesAdapter, windowMs = 1_800_000): Promise<Swept> {
  const limit = limitOf();
  const began = performance.now();
  let look: Look = { now: new Date(), windowMs, version: '', target: 'prod', options: {} };
  let unreachable: BlindSpot | undefined;
  try {
    look = { ...look, ...(await adapter.greet({ ...limit, timeoutMs: 2000 })) };
  } catch (error) {
    unreachable = blindFromError(error);
  }
  const seen = new Map<string, Promise<unknown>>();
  const see = (asked: Read<unknown, KubernetesRequest>): Promise<unknown> => {
    const read = asked.wrap?.as === 'optional' ? asked.wrap.inner : asked;
    const value = seen.get(read.id) ?? perform(adapter, read, look, limit);
    seen.set(read.id, value);
    return value;
  };
  const judged = await Promise.all(
    kubernetesCatalog.diagnostics.map(async (diagnostic) => ({
      id: diagnostic.id,
      ...(unreachable
        ? { verdict: { measured: [], blind: [unreachable] }, relations: [] }
        : await judge(diagnostic, see, look)),
    })),
  );
  return {
    look,
    see,
    spent: limit.spent,
    ms: performance.now() - began,
    verdicts: Object.fromEntries(judged.map(({ id, verdict }) => [id, verdict])),
    relations: judged.flatMap(({ relations }) => relations),
  };
}

async function perform(
  adapter: KubernetesAdapter,
  read: Read<unknown, KubernetesRequest>,
  look: Look,
  limit: Limit,
): Promise<unknown> {
  const request = read.request(look);
  if (isBlindSpot(request)) return request;
  const bounded = { ...limit, timeoutMs: read.timeoutMs, maxRows: read.maxRows };
  try {
    return read.parse(await adapter.perform(request, bounded), look);
  } catch (error) {
    return blindFromError(error);
  }
}

async function judge(
  diagnostic: AnyDiagnostic<KubernetesRequest>,
  see: Swept['see'],
  look: Look,
): Promise<{ verdict: Verdict; relations: readonly Relation[] }> {
  const entries = await Promise.all(
    Object.entries(diagnostic.reads).map(
      async ([name, read]) => [name, read, await see(read)] as const,
    ),
  );
  const relations = entries.flatMap(([, read, value]) =>
    isBlindSpot(value) ? [] : [...(read.relate?.(value, look) ?? [])],
  );
  const blind = entries.flatMap(([, read, value]) =>
    isBlindSpot(value) && read.wrap?.as !== 'optional' ? [value] : [],
  );
  if (blind.length > 0) return { verdict: { measured: [], blind }, relations };
  const seen = Object.fromEntries(entries.map(([name, , value]) => [name, value]));
  const thresholds = diagnostic.thresholds as Record<string, { value: number }>;
  const limits = Object.fromEntries(Object.entries(thresholds).map(([name, t]) => [name, t.value]));
  return { verdict: diagnostic.judge(seen as never, limits, look), relations };
}

/** A fresh plan of the only remedy; rejects with the words of a refusal. */
export async function planRollback(
  adapter: KubernetesAdapter,
  make: (seen: never, look: Look) => Plan<KubernetesAct> | { readonly refused: string },
): Promise<Plan<KubernetesAct>> {
  const [remedy] = kubernetesCatalog.remedies;
  const { see, look } = await sweepOnce(adapter);
  const entries = await Promise.all(
    Object.entries(remedy?.reads ?? {}).map(
      async ([name, read]) => [name, await see(read)] as const,
    ),
  );
  const made = make(Object.fromEntries(entries) as never, look);
  if ('refused' in made) throw new Error(made.refused);
  return made;
}

export interface Applied {
  readonly outcome: Outcome;
  readonly progress: readonly Progress[];
}

export async function applyToEnd(
  adapter: KubernetesAdapter,
  act: KubernetesAct,
  operationId: string,
  limit: Limit = limitOf({ timeoutMs: 60_000 }),
): Promise<Applied> {
  const progress: Progress[] = [];
  for await (const event of adapter.apply(act, operationId, limit)) {
    if (event.kind === 'outcome') return { outcome: event, progress };
    progress.push(event);
  }
  throw new Error('the act ended without an outcome');
}

/** Runs a command as a person would, with the rights of a kubeconfig. Rejects with what it printed. */
export function runAs(kubeconfig: string, kubectlFolder: string, command: string): Promise<string> {
  const env = {
    PATH: `${kubectlFolder}:/usr/bin:/bin`,
    HOME: '/nonexistent',
    KUBECONFIG: kubeconfig,
  };
  return new Promise((resolve, reject) => {
    execFile('bash', ['-c', command], { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command}: ${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}
