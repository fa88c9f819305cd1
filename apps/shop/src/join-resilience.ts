import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Attachment, attach } from '@starr/attach';
import type { Policies } from '@starr/policies';
import type { Resilience } from './config.ts';
import type { Log } from './log.ts';

/** Lets people on call see this process's breakers, queues and pools. It works the same without. */
export function joinResilience(
  { address, tokenFile, pod }: Resilience,
  policies: Policies,
  place: { readonly instance: string; readonly revision: string },
  log: Log,
): Attachment {
  return attach({
    policies,
    address,
    version: place.revision,
    // A container that restarts keeps the pod's name, but it is another life.
    instance: `${place.instance}-${randomUUID().slice(0, 8)}`,
    ...(pod === undefined ? {} : { pod }),
    // Read at each attempt: the service writes a new token when it starts anew.
    ...(tokenFile === undefined
      ? {}
      : { token: async () => (await readFile(tokenFile, 'utf8')).trim() }),
    // A few processes on one machine: whoever looks at them just after the start should see them.
    retryMs: { first: 100, longest: 500 },
    onChange: (change) => {
      log.info(
        `resilience service ${change.state}`,
        change.state === 'away' ? { why: change.why } : {},
      );
    },
  });
}
