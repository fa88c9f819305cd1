import type { ProcessIdentity, ProcessReport } from '@starr/wire';

const maxName = 200;
const maxPolicies = 1000;

/** What is wrong with a hello, in words; absent when nothing is. */
export function checkIdentity({
  service,
  instance,
  version,
  pod,
}: ProcessIdentity): string | undefined {
  const named = { service, instance };
  for (const [field, value] of Object.entries(named)) {
    if (value === '') return `${field} is empty; allowed: 1 to ${maxName} characters`;
  }
  const texts = {
    ...named,
    version,
    'pod.namespace': pod?.namespace,
    'pod.name': pod?.name,
    'pod.ip': pod?.ip,
  };
  for (const [field, value] of Object.entries(texts)) {
    if ((value?.length ?? 0) > maxName) return `${field} is longer than ${maxName} characters`;
  }
  return undefined;
}

/** What is wrong with a report, in words; absent when nothing is. */
export function checkReport({ policies }: ProcessReport): string | undefined {
  if (policies.length > maxPolicies) {
    return `a report holds ${policies.length} policies; allowed: at most ${maxPolicies}`;
  }
  const long = policies.some(
    (policy) =>
      policy.name.length > maxName ||
      (policy.kind === 'breaker' && policy.guards.length > maxName) ||
      (policy.kind === 'pool' && (policy.connectsTo?.host.length ?? 0) > maxName),
  );
  return long ? `a name in a report is longer than ${maxName} characters` : undefined;
}
