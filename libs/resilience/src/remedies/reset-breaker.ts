import {
  defineRemedy,
  isBlindSpot,
  optional,
  type BlindSpot,
  type Look,
  type Plan,
  type PlanRefused,
} from '@starr/kernel';
import { z } from 'zod';
import type { AttachedProcess } from '../attached-process.ts';
import { coverageOf } from '../diagnostics/coverage.ts';
import { forcedOpenOf, isForcedOpen } from '../diagnostics/forced-open.ts';
import {
  groupPolicies,
  type PolicyGroup,
  type PolicyMember,
} from '../diagnostics/group-policies.ts';
import type { BreakerView } from '../policy-view.ts';
import { dependenciesRead } from '../reads/dependencies.ts';
import { processesRead } from '../reads/processes.ts';
import type { DependencyProbe, ResetBreaker } from '../request.ts';

const params = z.strictObject({
  /** service/name, as findings name it: checkout/payments. */
  breaker: z.string().min(3).max(401),
});

type Member = PolicyMember<BreakerView>;

export const resetBreaker = defineRemedy({
  id: 'resilience.reset-breaker',
  title: 'Reset a circuit breaker',
  explains:
    'Closes a breaker in every attached process in which it is not closed, and empties its window. Each process does it only while its breaker is still as it was seen, and acknowledges. ' +
    'While the dependency is down the breaker opens again, after failing as many calls as its threshold takes. ' +
    'By hand: a process that is started anew begins with closed breakers.',
  params,
  reads: { processes: processesRead, probes: optional(dependenciesRead) },
  plan: ({ breaker }, { processes, probes }, look) => {
    const groups = groupPolicies(processes, 'breaker');
    const group = groups.find(({ about }) => about.name === breaker);
    if (!group) return { refused: unknownBreaker(breaker, groups) };
    const open = group.members.filter(
      ({ policy }) => policy.state !== 'closed' && !isForcedOpen(policy),
    );
    const [forced] = forcedOpenOf(group);
    if (open.length === 0 && forced) {
      return { refused: `${forced.says}; a reset moves nothing while that lasts` };
    }
    if (open.length === 0) {
      return {
        refused: `breaker ${breaker} is closed in all ${group.members.length} processes that report it`,
      };
    }
    return planOf(group, open, warningsOf(open, processes, probes, look));
  },
});

function unknownBreaker(breaker: string, groups: readonly PolicyGroup<BreakerView>[]): string {
  const known = groups.map(({ about }) => about.name).slice(0, 20);
  return `no attached process has a breaker ${JSON.stringify(breaker)}; known: ${known.join(', ') || 'none'}`;
}

function planOf(
  { about, service, name, members }: PolicyGroup<BreakerView>,
  open: readonly Member[],
  warnings: readonly string[],
): Plan<ResetBreaker> | PlanRefused {
  const names = open.map(({ process }) => process.instance);
  return {
    operations: [
      {
        act: {
          kind: 'reset-breaker',
          service,
          breaker: name,
          processes: open.map(({ process, policy }) => ({
            instance: process.instance,
            epoch: policy.epoch,
            state: policy.state,
          })),
        },
        says: `close breaker ${name} in ${open.length} of ${members.length} processes of ${service}: ${names.join(', ')}`,
        byHand: byHand(open.map(({ process }) => process)),
        reversible: false,
        onRefused: 'stop',
        onFailed: 'stop',
      },
    ],
    effect: {
      diagnostic: 'resilience.breakers',
      about,
      measurement: 'openProcesses',
      below: 1,
      settleMs: 2000,
      holdMs: 10_000,
      withinMs: 60_000,
      onMiss: 'ask',
    },
    touches: [{ name: 'processes', about, value: open.length }],
    warnings,
  };
}

/** A process knows no command from outside but through its service; a new life of it begins closed. */
function byHand(processes: readonly AttachedProcess[]): string {
  const pods = processes.flatMap(({ pod }) =>
    pod?.name === undefined ? [] : [{ namespace: pod.namespace ?? 'default', name: pod.name }],
  );
  if (pods.length < processes.length) {
    return `restart one after the other: ${processes.map(({ service, instance, pid }) => `${service}/${instance} (kill -TERM ${pid})`).join(', ')}`;
  }
  const namespaces = [...new Set(pods.map(({ namespace }) => namespace))];
  return namespaces
    .map((namespace) => {
      const names = pods.filter((pod) => pod.namespace === namespace).map(({ name }) => name);
      return `kubectl -n ${namespace} delete pod ${names.join(' ')}`;
    })
    .join(' && ');
}

function warningsOf(
  open: readonly Member[],
  processes: readonly AttachedProcess[],
  probes: readonly DependencyProbe[] | BlindSpot,
  look: Look,
): string[] {
  const guarded = [...new Set(open.map(({ policy }) => policy.guards))];
  return [
    ...guarded.flatMap((dependency) => warningOf(dependency, probes)),
    ...coverageOf(processes, look).blind.map(({ detail }) => `not reached: ${detail}`),
  ];
}

function warningOf(dependency: string, probes: readonly DependencyProbe[] | BlindSpot): string[] {
  if (isBlindSpot(probes))
    return [`whether ${dependency} answers could not be seen: ${probes.detail}`];
  const probe = probes.find(({ name }) => name === dependency);
  if (!probe)
    return [`whether ${dependency} answers is not known: it is not configured to be probed`];
  const { outcome } = probe;
  if (outcome.kind === 'failed') {
    return [`${dependency} does not answer now (${outcome.why}): the breaker will open again`];
  }
  return outcome.status >= 500
    ? [`${dependency} answers with status ${outcome.status} now: the breaker will open again`]
    : [];
}
