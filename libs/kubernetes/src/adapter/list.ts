import { blindSpot, DoctorError, maskText, type BlindSpot, type Limit } from '@starr/kernel';
import type { KubeObject } from '../objects.ts';
import type { Listed } from '../request.ts';
import type { Ask, Asker } from './ask.ts';
import { errorFromAnswer, statusOf } from './k8s-error.ts';
import { pathOf, permissionOf, type Resource } from './resources.ts';

const PAGE = 500;
/** Tokens live for minutes; a list that loses more than these changes faster than it can be read. */
const MAX_EXPIRED = 2;

export interface ListRequest {
  readonly resource: Resource;
  readonly namespace: string;
  readonly fieldSelector?: string;
  readonly maxRows: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Page<T> {
  readonly items?: readonly T[] | null;
  readonly metadata?: { readonly continue?: string; readonly remainingItemCount?: number };
}

/**
 * All objects of a kind in a namespace, in pages. A `continue` token that expired (410) comes with a fresh one for the
 * rest of the list as it is now: taken, since a diagnosis needs no snapshot; objects are then told apart by uid.
 * More than `maxRows`: the first ones, and a blind spot that says how many there are. Fails with DoctorError.
 */
export async function listPages<T extends KubeObject>(
  ask: Asker,
  request: ListRequest,
  limit: Limit,
): Promise<Listed<T>> {
  const { resource, namespace, maxRows } = request;
  const what = `list ${resource.plural} in ${namespace}`;
  const items = new Map<string, T>();
  let token: string | undefined;
  let expired = 0;
  for (;;) {
    const answer = await ask(pageRequest(request, what, token), limit);
    if (answer.status === 410) {
      expired += 1;
      if (expired > MAX_EXPIRED) throw errorFromAnswer(answer, what);
      token = statusOf(answer.text)?.metadata?.continue; // without one: from the start
      continue;
    }
    const page = pageFrom<T>(answer.text, what);
    for (const item of page.items ?? []) items.set(item.metadata?.uid ?? `#${items.size}`, item);
    token = page.metadata?.continue;
    if (token === undefined || token === '') return { items: [...items.values()], blind: [] };
    if (items.size >= maxRows) {
      const more = page.metadata?.remainingItemCount;
      const blind = tooMany(resource, namespace, items.size, more);
      return { items: [...items.values()], blind: [blind] };
    }
  }
}

function pageRequest(request: ListRequest, what: string, token: string | undefined): Ask {
  const { resource, namespace } = request;
  return {
    path: pathOf(resource, namespace),
    query: {
      limit: Math.min(PAGE, request.maxRows),
      continue: token,
      fieldSelector: request.fieldSelector,
      // the server gives up by then, whoever still waits
      timeout: `${Math.ceil(request.timeoutMs / 1000)}s`,
    },
    signal: request.signal,
    what,
    spends: 'lists',
    permission: permissionOf('list', resource, namespace),
    accepts: [410],
  };
}

function pageFrom<T>(text: string, what: string): Page<T> {
  try {
    const parsed = JSON.parse(text) as Page<T>;
    if (Array.isArray(parsed.items) || parsed.items === null) return parsed;
  } catch {
    // said below: a proxy's page, or an answer that broke off
  }
  throw new DoctorError('EVIDENCE_MALFORMED', {
    message: `The answer is not a list of Kubernetes (${what}): ${maskText(text.slice(0, 40)).trim()}`,
  });
}

function tooMany(
  resource: Resource,
  namespace: string,
  seen: number,
  more: number | undefined,
): BlindSpot {
  const of = more === undefined ? '' : ` of ${seen + more}`;
  return blindSpot('truncated', `Only ${seen}${of} ${resource.plural} of ${namespace} were read`);
}
