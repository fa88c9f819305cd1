import { setTimeout as pause } from 'node:timers/promises';
import type { KubeApi } from './kube-api.ts';

/** What every object of the API has. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

export interface MirrorHandlers<T> {
  /** Added or changed; also each object of the first list. */
  readonly onSeen: (object: T) => void;
  readonly onGone: (object: T) => void;
  /** After each full list: whatever is not in it is gone, even if no event said so. */
  readonly onList?: (objects: readonly T[]) => void;
  /** A lost connection or a refusal; the mirror goes on by itself. */
  readonly onTrouble?: (error: unknown) => void;
}

interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

interface WatchLine<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

const RETRY_MS = 500;

/**
 * Lists, then watches, a collection until the signal aborts. A watch that the server ends by its own
 * time-out goes on from the last version seen; after a lost connection or an ERROR (410: that version is
 * compacted away) it lists anew.
 */
export const mirror = async <T extends KubeObject>(
  api: KubeApi,
  collection: string,
  handlers: MirrorHandlers<T>,
  signal: AbortSignal,
): Promise<void> => {
  const watch = async (from: string): Promise<void> => {
    let version = from;
    while (!signal.aborted) {
      const path = `${collection}?watch=1&allowWatchBookmarks=true&timeoutSeconds=240&resourceVersion=${version}`;
      for await (const line of api.lines(path, signal)) {
        const { type, object } = JSON.parse(line) as WatchLine<T>;
        if (type === 'ERROR') return;
        version = object.metadata.resourceVersion ?? version;
        if (type === 'DELETED') handlers.onGone(object);
        else if (type !== 'BOOKMARK') handlers.onSeen(object);
      }
    }
  };

  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    try {
      const list = await api.ask<List<T>>({ method: 'GET', path: collection, signal });
      handlers.onList?.(list.items);
      for (const object of list.items) handlers.onSeen(object);
      await watch(list.metadata.resourceVersion);
    } catch (error) {
      if (ended()) return;
      handlers.onTrouble?.(error);
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
};
