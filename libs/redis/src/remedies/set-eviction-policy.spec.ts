import { describe, expect, it } from '@jest/globals';
import type { Plan, PlanRefused, Receipt } from '@starr/kernel';
import type { RedisAccess, RedisAct } from '../request.ts';
import { infoAt, type InfoChange } from '../test/info-at.ts';
import { LOOK } from '../test/pair-of.ts';
import { setEvictionPolicy } from './set-eviction-policy.ts';

const REDIS_CLI = 'redis-cli -h 10.0.0.9 -p 6379 --user acting --askpass';
const PERMITTED: RedisAccess = {
  state: 'asked',
  user: 'acting',
  redisCli: REDIS_CLI,
  answers: [
    { command: 'info', right: 'permitted' },
    { command: 'config|get', right: 'permitted' },
    { command: 'config|set', right: 'permitted' },
  ],
};
const FULL: InfoChange = { policy: 'noeviction', keys: 1200, volatileKeys: 300 };

type Planned = Plan<RedisAct> | PlanRefused;

function plan(policy: string, info: InfoChange = FULL, access: RedisAccess = PERMITTED): Planned {
  return setEvictionPolicy.plan({ policy }, { info: infoAt(info), access }, LOOK);
}

function refusal(planned: Planned | undefined): string | undefined {
  return planned !== undefined && 'refused' in planned ? planned.refused : undefined;
}

function warningsOf(planned: Planned): string {
  return 'refused' in planned ? '' : planned.warnings.join('\n');
}

describe('cache.set-eviction-policy', () => {
  it('plans one act bound to the run and the policy that it saw', () => {
    expect(plan('allkeys-lru')).toEqual({
      operations: [
        {
          act: {
            kind: 'set-eviction-policy',
            policy: 'allkeys-lru',
            guard: { runId: 'run-1', policy: 'noeviction' },
          },
          says: 'set maxmemory-policy from noeviction to allkeys-lru',
          byHand: `${REDIS_CLI} CONFIG SET maxmemory-policy allkeys-lru`,
          reversible: true,
          onRefused: 'stop',
          onFailed: 'stop',
        },
      ],
      effect: {
        diagnostic: 'cache.memory',
        about: { kind: 'redis', name: 'sessions' },
        measurement: 'rejectedWritesPerMinute',
        below: 1,
        settleMs: 5000,
        holdMs: 30_000,
        withinMs: 90_000,
        onMiss: 'ask',
      },
      touches: [
        { name: 'evictableKeysBefore', about: { kind: 'redis', name: 'sessions' }, value: 0 },
        { name: 'evictableKeysAfter', about: { kind: 'redis', name: 'sessions' }, value: 1200 },
      ],
      warnings: [
        'allkeys-lru may throw away any of 1200 keys, 900 of which never expire: right for a cache; ' +
          'a queue or a session store loses data',
        `lost at a restart unless rewritten into the configuration: ${REDIS_CLI} CONFIG REWRITE`,
      ],
    });
  });

  it.each([
    ['noeviction', { policy: 'allkeys-lru' }, 'evictedKeysPerMinute'],
    ['allkeys-lru', FULL, 'rejectedWritesPerMinute'],
    ['allkeys-lru', { ...FULL, oomErrors: undefined }, 'evictableRatio'],
  ])('%s is proved by what must move: %j', (policy, info, measurement) => {
    expect(plan(policy, info)).toMatchObject({ effect: { measurement } });
  });

  it.each<[string, string, InfoChange, RegExp]>([
    ['it is set already', 'noeviction', FULL, /is noeviction already/],
    ['nothing is volatile', 'volatile-lru', { ...FULL, volatileKeys: 0 }, /no key expires/],
    ['the server is a replica', 'allkeys-lru', { ...FULL, role: 'slave' }, /replica/],
    ['INFO shows no policy', 'allkeys-lru', { policy: undefined }, /nothing can be bound/],
    ['INFO shows no run', 'allkeys-lru', { ...FULL, runId: undefined }, /nothing can be bound/],
  ])('refuses when %s', (_, policy, info, says) => {
    expect(refusal(plan(policy, info))).toMatch(says);
  });

  it('does not refuse a volatile policy on an empty server', () => {
    expect(refusal(plan('volatile-lru', { ...FULL, keys: 0, volatileKeys: 0 }))).toBeUndefined();
  });

  it('refuses without an acting credential, and names the command', () => {
    expect(
      refusal(plan('allkeys-lru', FULL, { state: 'no-credential', redisCli: 'redis-cli' })),
    ).toBe(
      'no acting credential is configured for this server; by hand: redis-cli CONFIG SET maxmemory-policy allkeys-lru',
    );
  });

  it('refuses where a right is denied, with the line that grants it', () => {
    const answers = PERMITTED.answers.map((one) =>
      one.command === 'info' ? one : { ...one, right: 'denied' as const },
    );
    expect(refusal(plan('allkeys-lru', FULL, { ...PERMITTED, answers }))).toMatch(
      /^user acting lacks rights: ACL SETUSER acting \+config\|get \+config\|set; or by hand: redis-cli/,
    );
  });

  it('goes on where the rights cannot be asked for', () => {
    const answers = PERMITTED.answers.map((one) => ({ ...one, right: 'unknown' as const }));
    const multi = { command: 'multi', right: 'denied' as const };
    const access = { ...PERMITTED, answers: [multi, ...answers] };
    expect(refusal(plan('allkeys-lru', FULL, access))).toBeUndefined();
  });

  it.each([
    [undefined, /parameter group on ElastiCache.*gcloud redis instances update.*renamed/],
    ['elasticache' as const, /modify-cache-parameter-group .*ParameterValue=allkeys-lru/],
    ['azure' as const, /az redis update/],
    ['aiven' as const, /avn service update/],
    ['redis-cloud' as const, /Redis Cloud/],
  ])('refuses where CONFIG is taken away and names the way of %s', (provider, says) => {
    const answers = PERMITTED.answers.map((one) => ({ ...one, right: 'absent' as const }));
    const access = { ...PERMITTED, answers, ...(provider && { provider }) };
    expect(refusal(plan('allkeys-lru', FULL, access))).toMatch(says);
  });

  it.each<[string, string, InfoChange, RegExp]>([
    [
      'data loss where consumers wait',
      'allkeys-lru',
      { ...FULL, blockedClients: 3 },
      /3 clients wait in blocking reads/,
    ],
    ['the few keys that may go', 'volatile-ttl', FULL, /may evict 300 of 1200 keys \(25 %\)/],
    ['refusals to come', 'noeviction', { policy: 'allkeys-lru' }, /refused with OOM as soon as/],
    [
      'no file to rewrite',
      'allkeys-lru',
      { ...FULL, configFile: '' },
      /without a configuration file/,
    ],
    ['replicas', 'allkeys-lru', { ...FULL, replicas: ['10.0.0.2:6379'] }, /10\.0\.0\.2:6379/],
    ['a cluster', 'allkeys-lru', { ...FULL, clustered: true }, /every primary and replica/],
  ])('warns of %s', (_, policy, info, says) => {
    expect(warningsOf(plan(policy, info))).toMatch(says);
  });

  it.each([
    ['allkeys-lru', true],
    ['allkeys-lrm', true],
    ['noeviction', true],
    ['volatile-ttl', true],
    ['allkeys-lru; FLUSHALL', false],
    ['allkeys-', false],
    ['ALLKEYS-LRU', false],
    ['', false],
  ])('takes the parameter %j: %s', (policy, valid) => {
    expect(setEvictionPolicy.params.safeParse({ policy }).success).toBe(valid);
  });

  describe('undone', () => {
    const receipt: Receipt = {
      operationId: 'op-1',
      remedy: 'cache.set-eviction-policy',
      target: 'sessions',
      act: {},
      before: { policy: 'noeviction' },
      after: { policy: 'allkeys-lru' },
      appliedAt: new Date(0),
    };
    const undo = (info: InfoChange, receipts = [receipt]): Planned | undefined =>
      setEvictionPolicy.undo?.(receipts, { info: infoAt(info), access: PERMITTED }, LOOK);

    it('sets the old policy back, bound to the one that was set', () => {
      expect(undo({ policy: 'allkeys-lru' })).toMatchObject({
        operations: [{ act: { policy: 'noeviction', guard: { policy: 'allkeys-lru' } } }],
        effect: { measurement: 'evictedKeysPerMinute', below: 1 },
      });
    });

    it.each<[string, InfoChange, RegExp]>([
      ['it is back already', { policy: 'noeviction' }, /noeviction again already/],
      ['somebody changed it since', { policy: 'allkeys-lfu' }, /somebody changed it since/],
    ])('refuses when %s', (_, info, says) => {
      expect(refusal(undo(info))).toMatch(says);
    });

    it.each([[[]], [[{ ...receipt, before: null }]]])(
      'refuses a receipt without policies',
      (list) => {
        expect(refusal(undo({ policy: 'allkeys-lru' }, list))).toMatch(/names no policies/);
      },
    );
  });
});
