import { describe, expect, it } from '@jest/globals';
import {
  DoctorError,
  systemClock,
  type CheckResult,
  type Doctor,
  type Entity,
  type Relation,
} from '@starr/kernel';
import type { RosterMember } from '../doctors/doctor-roster.ts';
import { keysToResolve, secondPass } from './second-pass.ts';

const entity = (kind: string, name: string): Entity => ({ kind, name });
const link = (from: Entity, to: Entity): Relation => ({ from, is: 'at', to });
const [app, client, address, pod, service] = [
  entity('application', 'checkout'),
  entity('client', 'checkout@10.0.0.1'),
  entity('address', '10.0.0.1'),
  entity('pod', 'shop/a'),
  entity('service', 'checkout'),
];
const server = entity('postgres', 'orders');
const far = entity('operation', 'checkout/pay');

function resultOf(findings: readonly Entity[], relations: readonly Relation[]): CheckResult {
  return {
    diagnostic: 'db.connection-leak',
    target: 'orders',
    verdict: {
      measured: [],
      findings: findings.map((about) => ({
        severity: 'critical',
        about,
        says: '',
        measured: [],
        involves: [client],
      })),
    },
    relations,
    observedFrom: new Date(0),
    observedTo: new Date(0),
    thresholds: {},
    footprint: {},
  };
}

const chain = [
  link(app, client),
  link(client, address),
  link(address, pod),
  link(pod, service),
  link(service, far),
];

describe('what the second pass asks for', () => {
  it('is what hangs on a finding, nearest first, within three steps of it', () => {
    expect(keysToResolve([resultOf([app], chain)])).toEqual([app, client, address, pod, service]);
  });

  it('is nothing where nothing was found', () => {
    expect(keysToResolve([resultOf([], chain)])).toEqual([]);
  });

  it('does not lead through a hub that everything touches', () => {
    const relations = [link(app, server), link(server, entity('application', 'other'))];
    expect(keysToResolve([resultOf([app], relations)])).toEqual([app, client, server]);
  });

  it('is at most two hundred keys', () => {
    const many = Array.from({ length: 300 }, (_, index) => entity('pod', `shop/${index}`));
    expect(keysToResolve([resultOf(many, [])])).toHaveLength(200);
  });
});

describe('the second pass', () => {
  const member = (name: string, resolve: Doctor['resolve']): RosterMember => ({
    name,
    prefixes: [`${name}.`],
    doctor: { resolve } as Doctor,
  });
  const options = { withinMs: 100, clock: systemClock, signal: new AbortController().signal };

  it('takes what comes in time, from all, and leaves out who is late or fails', async () => {
    const relation = link(address, pod);
    const members = [
      member('k8s', (keys) => Promise.resolve(keys.includes(address) ? [relation] : [])),
      member('late', () => new Promise(() => undefined)),
      member('broken', () => Promise.reject(new DoctorError('WIRE_UNREACHABLE'))),
    ];
    const startedMs = performance.now();
    expect(await secondPass(members, [resultOf([app], chain)], options)).toEqual([relation]);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  it('asks nobody where nothing was found', async () => {
    const members = [member('never', () => Promise.reject(new Error('asked')))];
    expect(await secondPass(members, [resultOf([], chain)], options)).toEqual([]);
  });
});
