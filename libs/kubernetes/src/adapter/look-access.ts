import { DoctorError, type Limit } from '@starr/kernel';
import type { Need } from '../grants/needs.ts';
import type { Permission } from '../grants/permission.ts';
import type { AccessAnswer, AccountAccess, KubernetesRequest } from '../request.ts';
import type { Asker } from './ask.ts';
import { deadlineWithin, type Deadline } from './deadline.ts';

type AccessRequest = Extract<KubernetesRequest, { kind: 'access' }>;

export interface Accounts {
  readonly diagnosing: Asker;
  readonly acting?: Asker;
  readonly namespaces: readonly string[];
}

/** What each account may do, by SelfSubjectAccessReview: the authorizers' own word, whatever they are. */
export async function lookAccess(
  { diagnosing, acting, namespaces }: Accounts,
  request: AccessRequest,
  limit: Limit,
): Promise<AccessAnswer> {
  const deadline = deadlineWithin(limit);
  const [looks, acts] = await Promise.all([
    accountAccess(diagnosing, request.diagnosing, namespaces, deadline, limit),
    acting && accountAccess(acting, request.acting, namespaces, deadline, limit),
  ]);
  return { namespaces, diagnosing: looks, ...(acts && { acting: acts }) };
}

async function accountAccess(
  ask: Asker,
  needs: readonly Need[],
  namespaces: readonly string[],
  deadline: Deadline,
  limit: Limit,
): Promise<AccountAccess> {
  const all = namespaces.flatMap((namespace) => needs.map((need) => ({ ...need, namespace })));
  const [user, ...allowed] = await Promise.all([
    userName(ask, deadline, limit),
    ...all.map((permission) => isAllowed(ask, permission, deadline, limit)),
  ]);
  return { user, denied: all.filter((_, index) => allowed[index] !== true) };
}

async function isAllowed(
  ask: Asker,
  { verb, group, resource, namespace }: Permission,
  deadline: Deadline,
  limit: Limit,
): Promise<boolean> {
  const [plural, subresource = ''] = resource.split('/');
  // a namespace is asked for by its name
  const name = resource === 'namespaces' ? { name: namespace } : {};
  const answer = await review<{ status?: { allowed?: boolean } }>(
    ask,
    'authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: {
        resourceAttributes: { verb, group, resource: plural, subresource, namespace, ...name },
      },
    },
    deadline,
    limit,
  );
  return answer.status?.allowed === true;
}

async function userName(ask: Asker, deadline: Deadline, limit: Limit): Promise<string> {
  const answer = await review<{ status?: { userInfo?: { username?: string } } }>(
    ask,
    'authentication.k8s.io/v1/selfsubjectreviews',
    { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    deadline,
    limit,
  );
  const name = answer.status?.userInfo?.username;
  if (name !== undefined) return name;
  throw new DoctorError('EVIDENCE_MALFORMED', {
    message: 'The API server does not tell whom it sees',
  });
}

async function review<T>(
  ask: Asker,
  path: string,
  body: unknown,
  deadline: Deadline,
  limit: Limit,
): Promise<T> {
  const what = path.split('/').at(-1) ?? path;
  const answer = await ask(
    {
      method: 'POST',
      path: `/apis/${path}`,
      body: JSON.stringify(body),
      signal: deadline.signal,
      what,
      spends: 'reviews',
    },
    limit,
  );
  try {
    return JSON.parse(answer.text) as T;
  } catch (cause) {
    throw new DoctorError('EVIDENCE_MALFORMED', {
      message: `The answer is no review (${what})`,
      cause,
    });
  }
}
