import {
  defineRemedy,
  type Effect,
  type Look,
  type Operation,
  type Plan,
  type PlanRefused,
  type Receipt,
} from '@starr/kernel';
import { z } from 'zod';
import { evictableRatio } from '../reads/eviction.ts';
import { infoRead, type RedisInfo } from '../reads/info.ts';
import { policyAccessRead } from '../reads/rights.ts';
import { redisEntity } from '../redis-entities.ts';
import type { RedisAccess, RedisAct, SetEvictionPolicy } from '../request.ts';
import { percentText } from '../size-text.ts';
import { providersWay } from './providers-way.ts';

const params = z.strictObject({
  /** The families are Redis's; members are not listed, since new ones come (allkeys-lrm in 8.6). */
  policy: z
    .string()
    .regex(/^(noeviction|(allkeys|volatile)-[a-z]+)$/)
    .describe(
      'noeviction, allkeys-lru, allkeys-lfu, volatile-ttl or another that the server knows',
    ),
});

/** Lets a full server make room by itself, or forbids it to. */
export const setEvictionPolicy = defineRemedy({
  id: 'cache.set-eviction-policy',
  title: 'Set the eviction policy',
  explains:
    'CONFIG SET maxmemory-policy on this one server, bound to the run and the policy that the plan saw. allkeys-* may ' +
    'throw away any key: right for a cache, data loss for a queue or a session store. It takes effect with the next ' +
    'write and is forgotten at a restart unless the configuration is rewritten too.',
  params,
  reads: { info: infoRead, access: policyAccessRead },
  plan: ({ policy }, { info, access }, look) => planFor(policy, info, access, look),
  undo: (receipts, { info, access }, look) => undoFor(receipts, info, access, look),
});

type Planned = Plan<RedisAct> | PlanRefused;

function planFor(policy: string, info: RedisInfo, access: RedisAccess, look: Look): Planned {
  const command = `CONFIG SET maxmemory-policy ${policy}`;
  const current = info.memory.policy;
  const runId = info.runId;
  if (current === undefined || runId === undefined)
    return {
      refused:
        'INFO shows neither the present policy nor the run, so that nothing can be bound to them',
    };
  if (current === policy) return { refused: `maxmemory-policy is ${policy} already` };
  if (info.role === 'slave')
    return { refused: 'this server is a replica and follows its primary: set the policy there' };
  const blocked = blockedBy(access, policy, command);
  if (blocked !== undefined) return { refused: blocked };
  if (policy.startsWith('volatile-') && info.keys.total > 0 && info.keys.volatile === 0)
    return {
      refused: `no key expires by itself, so ${policy} could evict nothing: it would refuse writes like noeviction`,
    };
  const act: SetEvictionPolicy = {
    kind: 'set-eviction-policy',
    policy,
    guard: { runId, policy: current },
  };
  return {
    operations: [operationFor(act, `${access.redisCli} ${command}`)],
    effect: effectFor(policy, info, look),
    touches: touchesOf(policy, current, info, look),
    warnings: warningsFor(policy, info, access),
  };
}

function operationFor(act: SetEvictionPolicy, byHand: string): Operation<RedisAct> {
  return {
    act,
    says: `set maxmemory-policy from ${act.guard.policy} to ${act.policy}`,
    byHand,
    reversible: true,
    onRefused: 'stop',
    onFailed: 'stop',
  };
}

/** Why the acting user cannot do it, and the way that is left. */
function blockedBy(access: RedisAccess, policy: string, command: string): string | undefined {
  const byHand = `by hand: ${access.redisCli} ${command}`;
  if (access.state === 'no-credential')
    return `no acting credential is configured for this server; ${byHand}`;
  const absent = access.answers.filter(({ right }) => right === 'absent');
  if (absent.length > 0)
    return (
      `this server knows no ${absent.map((one) => one.command).join(', ')}: renamed, or taken away by its provider. ` +
      providersWay(access.provider, policy)
    );
  // Without MULTI the rights cannot be asked for, and the act itself needs none: it will be told.
  const denied = access.answers.filter(
    ({ command, right }) => right === 'denied' && command !== 'multi',
  );
  if (denied.length === 0) return undefined;
  const rights = denied.map((one) => `+${one.command}`).join(' ');
  return `user ${access.user} lacks rights: ACL SETUSER ${access.user} ${rights}; or ${byHand}`;
}

/** Forbidding eviction must stop it; allowing it must stop the refusals. Before 6.2 the server counts no refusals. */
function effectFor(policy: string, info: RedisInfo, look: Look): Effect {
  const about = redisEntity(look.target);
  const timing = { settleMs: 5000, holdMs: 30_000, withinMs: 90_000, onMiss: 'ask' } as const;
  const effect = { diagnostic: 'cache.memory', about, ...timing };
  if (policy === 'noeviction') return { ...effect, measurement: 'evictedKeysPerMinute', below: 1 };
  if (info.stats.oomErrors === undefined)
    return { ...effect, measurement: 'evictableRatio', above: 0 };
  return { ...effect, measurement: 'rejectedWritesPerMinute', below: 1 };
}

function touchesOf(
  policy: string,
  current: string,
  info: RedisInfo,
  look: Look,
): Plan<RedisAct>['touches'] {
  const about = redisEntity(look.target);
  const keys = (name: string): number => Math.round(evictableRatio(name, info) * info.keys.total);
  return [
    { name: 'evictableKeysBefore', about, value: keys(current) },
    { name: 'evictableKeysAfter', about, value: keys(policy) },
  ];
}

function warningsFor(policy: string, info: RedisInfo, access: RedisAccess): readonly string[] {
  const { total, volatile } = info.keys;
  const warnings: string[] = [];
  if (policy.startsWith('allkeys-')) {
    const waiting = info.blockedClients ?? 0;
    warnings.push(
      `${policy} may throw away any of ${total} keys, ${total - volatile} of which never expire: ` +
        'right for a cache; a queue or a session store loses data' +
        (waiting > 0
          ? ` (${waiting} clients wait in blocking reads here, as consumers of queues do)`
          : ''),
    );
  }
  if (policy.startsWith('volatile-') && volatile < total)
    warnings.push(
      `${policy} may evict ${volatile} of ${total} keys (${percentText(evictableRatio(policy, info))}); writes are refused again once these are gone`,
    );
  if (policy === 'noeviction')
    warnings.push('with noeviction writes are refused with OOM as soon as maxmemory is reached');
  warnings.push(
    info.configFile === ''
      ? 'lost at a restart: the server runs without a configuration file, so change its start arguments too'
      : `lost at a restart unless rewritten into the configuration: ${access.redisCli} CONFIG REWRITE`,
  );
  if (info.replicas.length > 0)
    warnings.push(
      `holds for this server alone; after a fail-over the replica's own policy counts: ${info.replicas.join(', ')}`,
    );
  if (info.clustered)
    warnings.push('holds for this node alone: a cluster wants it on every primary and replica');
  return warnings;
}

function undoFor(
  receipts: readonly Receipt[],
  info: RedisInfo,
  access: RedisAccess,
  look: Look,
): Planned {
  const policies = policiesOf(receipts[0]);
  if (policies === undefined) return { refused: 'the receipt names no policies' };
  const { before, after } = policies;
  if (info.memory.policy === before)
    return { refused: `maxmemory-policy is ${before} again already` };
  if (info.memory.policy !== after)
    return {
      refused: `maxmemory-policy is ${info.memory.policy ?? 'unknown'}, no longer the ${after} that was set: somebody changed it since`,
    };
  return planFor(before, info, access, look);
}

const policySchema = z.object({ policy: z.string() });

function policiesOf(
  receipt: Receipt | undefined,
): { readonly before: string; readonly after: string } | undefined {
  const before = policySchema.safeParse(receipt?.before);
  const after = policySchema.safeParse(receipt?.after);
  return before.success && after.success
    ? { before: before.data.policy, after: after.data.policy }
    : undefined;
}
