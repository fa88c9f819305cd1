import type {
  BlindSpot,
  Change,
  CheckResult,
  DoctorDescription,
  Entity,
  Finding,
  Measurement,
  Relation,
} from '@starr/kernel';
import { catalogIndex, type CatalogIndex } from '../check-playbook.ts';

/** A moment of the night that all scenarios play in. */
export function at(clock: string): Date {
  return new Date(`2026-11-24T${clock}Z`);
}

export function entity(kind: string, name: string, scope?: string): Entity {
  return scope === undefined ? { kind, name } : { kind, name, scope };
}

export function relation(from: Entity, is: string, to: Entity, since?: Date): Relation {
  return since === undefined ? { from, is, to } : { from, is, to, since };
}

export function measurement(
  name: string,
  about: Entity,
  value: number,
  limit?: number,
): Measurement {
  return limit === undefined ? { name, about, value } : { name, about, value, limit };
}

export interface CheckParts {
  readonly findings?: readonly Finding[];
  readonly changes?: readonly Change[];
  readonly measured?: readonly Measurement[];
  readonly blind?: readonly BlindSpot[];
  readonly relations?: readonly Relation[];
  readonly clockSkewMs?: number;
  readonly historySince?: Date;
  readonly footprint?: Readonly<Record<string, number>>;
}

export function check(diagnostic: string, target: string, parts: CheckParts = {}): CheckResult {
  return {
    diagnostic,
    target,
    verdict: {
      measured: [
        ...(parts.measured ?? []),
        ...(parts.findings ?? []).flatMap(({ measured }) => measured),
      ],
      findings: parts.findings ?? [],
      changes: parts.changes ?? [],
      blind: parts.blind ?? [],
    },
    relations: parts.relations ?? [],
    observedFrom: at('03:12:08'),
    observedTo: at('03:12:09'),
    thresholds: {},
    footprint: parts.footprint ?? {},
    ...(parts.clockSkewMs !== undefined && { clockSkewMs: parts.clockSkewMs }),
    ...(parts.historySince !== undefined && { historySince: parts.historySince }),
  };
}

const MEASURES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'db.connection-use': { usedSlots: 'count', useRatio: 'ratio', fullInMs: 'ms' },
  'db.connection-leak': { leakedSessions: 'count' },
  'db.connection-limits': { limitUseRatio: 'ratio', raiseTo: 'count' },
  'db.idle-in-transaction': { longestIdleInTransactionMs: 'ms' },
  'db.idle-sessions': {},
  'db.lock-waits': { blockedSessions: 'count', longestBlockedMs: 'ms', ddlWaiting: 'count' },
  'db.wedged-sessions': { longestWedgedMs: 'ms' },
  'db.long-running-queries': { longestActiveMs: 'ms' },
  'db.checkpoints': {},
  'db.missing-indexes': { missingIndexes: 'count' },
  'db.replication': { retainedBytes: 'bytes' },
  'db.slow-statements': {},
  'db.stale-statistics': { staleTables: 'count' },
  'db.autovacuum': { tablesBehind: 'count' },
  'db.xmin-horizon': {},
  'db.pgbouncer-pools': { waitingClients: 'count', paused: 'count' },
  'cache.memory': { pressureRatio: 'ratio', evictableRatio: 'ratio', timeToFullMs: 'ms' },
  'cache.hit-rate': { hitRatio: 'ratio' },
  'k8s.pod-status': { troubledPods: 'count' },
  'k8s.restarts': { restarts: 'count' },
  'k8s.rollouts': { rollouts: 'count' },
  'k8s.error-distribution': { errorsPerMinute: 'per-minute' },
  'resilience.breakers': {},
  'resilience.queues': {},
  'resilience.pools': {},
  'resilience.dependencies': {},
  'traces.error-rate': { errorRatio: 'ratio' },
  'traces.latency': {},
};

const REMEDIES: Readonly<Record<string, string>> = {
  'db.create-index': 'Create an index',
  'db.cancel-query': 'Cancel a running statement',
  'db.raise-connection-limit': 'Raise the connection limit of a role or database',
  'db.resize-pgbouncer-pool': 'Change the pool size of a PgBouncer',
  'db.resume-pgbouncer': 'Resume a paused database of a PgBouncer',
  'db.terminate-idle-sessions': 'End idle sessions',
  'db.terminate-session': 'End a session that holds others up',
  'cache.set-eviction-policy': 'Set the eviction policy',
  'k8s.rollback': 'Roll a Deployment back',
  'resilience.reset-breaker': 'Reset a breaker',
};

/** The catalogs of the five doctors, or of those with the given prefixes. */
export function catalogOf(
  prefixes: readonly string[] = ['db', 'cache', 'k8s', 'resilience', 'traces'],
): CatalogIndex {
  const ofDoctor = (id: string) => prefixes.some((prefix) => id.startsWith(`${prefix}.`));
  const description: DoctorDescription = {
    name: 'doctors',
    targets: [],
    diagnostics: Object.entries(MEASURES)
      .filter(([id]) => ofDoctor(id))
      .map(([id, measures]) => ({
        id,
        title: id,
        explains: '',
        replaces: [],
        thresholds: {},
        measures: Object.fromEntries(
          Object.entries(measures).map(([name, unit]) => [name, { unit, says: name }]),
        ),
        reads: [],
      })),
    remedies: Object.entries(REMEDIES)
      .filter(([id]) => ofDoctor(id))
      .map(([id, title]) => ({ id, title, explains: '', paramsSchema: '{}', reversible: true })),
  };
  return catalogIndex([description]);
}
