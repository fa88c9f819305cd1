import type { Change, CheckResult, Entity, Finding, Relation } from '@starr/kernel';

export interface NightSize {
  readonly services: number;
  readonly podsOfEach: number;
}

const ROLLOUT_AT = new Date('2026-11-24T03:05:02Z');
const LEAK_SINCE = new Date('2026-11-24T03:05:40Z');
const USERS_FEEL_SINCE = new Date('2026-11-24T03:11:00Z');
const SEEN_AT = new Date('2026-11-24T03:12:08Z');
const ORDERS: Entity = { kind: 'postgres', name: 'orders' };

/**
 * What the doctors would bring of a bad night: every service was rolled out, leaks connections, and its users feel it.
 * Two findings, one change and `7 × podsOfEach + 5` relations a service.
 */
export function nightOf({ services, podsOfEach }: NightSize): readonly CheckResult[] {
  const all = Array.from({ length: services }, (_, number) => serviceOf(number, podsOfEach));
  return [
    result('db.connection-leak', 'orders', {
      findings: all.map(leakOf),
      relations: all.flatMap(databaseSees),
    }),
    result('k8s.rollouts', 'prod', {
      changes: all.map(rolloutOf),
      relations: all.flatMap(clusterSees),
    }),
    result('traces.error-rate', 'jaeger', {
      findings: all.map(errorsOf),
      relations: all.map((each, number) =>
        relation(each.service, 'calls', serviceOf((number + 1) % services, 0).service),
      ),
    }),
    result('resilience.pools', 'processes', { relations: all.flatMap(processesSee) }),
  ];
}

interface Service {
  readonly name: string;
  readonly service: Entity;
  readonly application: Entity;
  readonly deployment: Entity;
  readonly addresses: readonly Entity[];
}

function serviceOf(number: number, pods: number): Service {
  const name = `service-${number}`;
  return {
    name,
    service: { kind: 'service', name },
    application: { kind: 'application', name, scope: 'orders' },
    deployment: { kind: 'deployment', name: `shop/${name}`, scope: 'prod' },
    addresses: Array.from({ length: pods }, (_, pod) => ({
      kind: 'address',
      name: `10.1.${number}.${pod + 2}`,
    })),
  };
}

function clientOf({ name }: Service, address: Entity): Entity {
  return { kind: 'client', name: `${name}@${address.name}`, scope: 'orders' };
}

function revisionOf({ name }: Service, revision: number): Entity {
  return { kind: 'revision', name: `shop/${name}#${revision}`, scope: 'prod' };
}

function databaseSees(each: Service): Relation[] {
  return [
    relation(each.application, 'uses', ORDERS),
    ...each.addresses.flatMap((address) => [
      relation(clientOf(each, address), 'of', each.application),
      relation(clientOf(each, address), 'connects-from', address),
    ]),
  ];
}

function clusterSees(each: Service): Relation[] {
  return [
    relation(each.deployment, 'provides', each.service),
    relation(revisionOf(each, 1), 'of', each.deployment),
    relation(revisionOf(each, 2), 'of', each.deployment, ROLLOUT_AT),
    ...each.addresses.flatMap((address, number) => {
      const pod = { kind: 'pod', name: `shop/${each.name}-${number}`, scope: 'prod' };
      return [
        relation(pod, 'at', address),
        relation(pod, 'of', each.deployment),
        relation(pod, 'runs', revisionOf(each, 2)),
      ];
    }),
  ];
}

function processesSee(each: Service): Relation[] {
  return each.addresses.flatMap((address, number) => {
    const process = { kind: 'process', name: `${each.name}/${number}` };
    return [relation(process, 'of', each.service), relation(process, 'at', address)];
  });
}

function leakOf(each: Service): Finding {
  const { name, application, addresses } = each;
  return {
    severity: 'critical',
    about: application,
    says: `${name} leaks connections: 77 sessions, each used once and idle since`,
    since: LEAK_SINCE,
    measured: [{ name: 'leakedSessions', about: application, value: 77, limit: 5 }],
    rows: addresses.map((address) => ({ application: name, address: address.name })),
    involves: addresses.flatMap((address) => [clientOf(each, address), address]),
  };
}

function errorsOf({ name, service }: Service): Finding {
  return {
    severity: 'critical',
    about: service,
    says: `${name}: errors 0.2→14 %`,
    since: USERS_FEEL_SINCE,
    measured: [{ name: 'errorRatio', about: service, value: 0.14, limit: 0.05 }],
  };
}

function rolloutOf(each: Service): Change {
  return {
    about: revisionOf(each, 2),
    at: ROLLOUT_AT,
    says: `rollout 1→2 of shop/${each.name}`,
    facts: { namespace: 'shop', deployment: each.name, from: 1, to: 2 },
  };
}

function relation(from: Entity, is: string, to: Entity, since?: Date): Relation {
  return since === undefined ? { from, is, to } : { from, is, to, since };
}

function result(
  diagnostic: string,
  target: string,
  parts: {
    readonly findings?: readonly Finding[];
    readonly changes?: readonly Change[];
    readonly relations: readonly Relation[];
  },
): CheckResult {
  const { findings = [], changes = [], relations } = parts;
  return {
    diagnostic,
    target,
    verdict: { measured: findings.flatMap(({ measured }) => measured), findings, changes },
    relations,
    observedFrom: SEEN_AT,
    observedTo: SEEN_AT,
    thresholds: {},
    footprint: {},
  };
}
