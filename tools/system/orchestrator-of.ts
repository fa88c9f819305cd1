import { credentials } from '@grpc/grpc-js';
import type { Backstage } from '@starr/lab';
import {
  bearerTokenInterceptor,
  createOrchestratorClient,
  type OrchestratorClient,
  type SweepEvent,
} from '@starr/wire';

/** The orchestrator of a stage as another tool of the house calls it. The caller closes it. */
export function orchestratorOf({ ports, token }: Backstage): OrchestratorClient {
  return createOrchestratorClient({
    address: `127.0.0.1:${ports.orchestrator}`,
    credentials: credentials.createInsecure(),
    interceptors: [bearerTokenInterceptor(token)],
  });
}

/** All events of one sweep over everything; `onStarted` is called when the doctors are being asked. */
export async function sweepEvents(
  client: OrchestratorClient,
  onStarted: () => void = () => undefined,
): Promise<readonly SweepEvent[]> {
  const events: SweepEvent[] = [];
  for await (const event of client.sweep({}, new AbortController().signal)) {
    events.push(event);
    if (event.kind === 'started') onStarted();
  }
  return events;
}

type EventOf<K extends SweepEvent['kind']> = Extract<SweepEvent, { kind: K }>;

/** The events of one kind, in order. */
export function eventsOf<K extends SweepEvent['kind']>(
  events: readonly SweepEvent[],
  kind: K,
): readonly EventOf<K>[] {
  return events.filter((event): event is EventOf<K> => event.kind === kind);
}
