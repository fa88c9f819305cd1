import type { ProcessEvent, ProcessFleet } from './process-fleet.ts';

/** First all that is there, then what changes. Of one process the newest event alone waits for a slow reader. */
export async function* watchFleet(
  fleet: ProcessFleet,
  service: string,
  signal: AbortSignal,
): AsyncGenerator<ProcessEvent> {
  const waiting = new Map<string, ProcessEvent>();
  let wake = Promise.withResolvers<undefined>();
  const add = (event: ProcessEvent) => {
    const identity = event.kind === 'changed' ? event.member.identity : event.identity;
    if (service !== '' && identity.service !== service) return;
    waiting.set(JSON.stringify([identity.service, identity.instance]), event);
    wake.resolve(undefined);
  };
  const stir = () => {
    wake.resolve(undefined);
  };
  const stopListening = fleet.listen(add);
  signal.addEventListener('abort', stir, { once: true });
  try {
    for (const member of fleet.members()) add({ kind: 'changed', member });
    while (!signal.aborted) {
      for (const [key, event] of waiting) {
        waiting.delete(key);
        yield event;
      }
      wake = Promise.withResolvers();
      if (waiting.size === 0) await wake.promise;
    }
  } finally {
    stopListening();
    signal.removeEventListener('abort', stir);
  }
}
