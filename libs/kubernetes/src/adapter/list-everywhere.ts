import { blindFromError, type Limit } from '@starr/kernel';
import type { KubeObject } from '../objects.ts';
import type { Listed } from '../request.ts';
import type { Asker } from './ask.ts';
import type { Deadline } from './deadline.ts';
import { listPages } from './list.ts';
import type { Resource } from './resources.ts';

export interface Looking {
  readonly ask: Asker;
  readonly namespaces: readonly string[];
}

/** Seen in these namespaces. */
export interface SeenIn<T> extends Listed<T> {
  readonly namespaces: readonly string[];
}

/** Seen in no namespace. */
export class Failed {
  readonly thrown: unknown;
  constructor(thrown: unknown) {
    this.thrown = thrown;
  }
}

/** One list a namespace, all at once. Denied here and seen there: what was seen, and a blind spot. */
export async function listEverywhere<T extends KubeObject>(
  { ask, namespaces }: Looking,
  resource: Resource,
  deadline: Deadline,
  limit: Limit,
  fieldSelector?: string,
): Promise<SeenIn<T> | Failed> {
  const settled = await Promise.allSettled(
    namespaces.map((namespace) =>
      listPages<T>(
        ask,
        {
          resource,
          namespace,
          maxRows: limit.maxRows,
          ...deadline,
          ...(fieldSelector !== undefined && { fieldSelector }),
        },
        limit,
      ),
    ),
  );
  const seen = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const answered = namespaces.filter((_, index) => settled[index]?.status === 'fulfilled');
  const failed = settled.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as unknown] : [],
  );
  if (seen.length === 0) return new Failed(failed[0]);
  return {
    namespaces: answered,
    items: seen.flatMap(({ items }) => items),
    blind: [...seen.flatMap(({ blind }) => blind), ...failed.map(blindFromError)],
  };
}
