import type { FakeClock } from './fake-clock.ts';

/** A service that answers in `baseMs` until more than `capacity` calls are in it; from then on they share it. */
export interface SimulatedService {
  capacity: number;
  baseMs: number;
  inFlight: number;
  mostInFlight: number;
  served: number;
}

export interface Gate {
  /** Absent: not let in. */
  enter(): ((tookMs: number) => void) | undefined;
}

/** Clients that call one after another, and come again after `pauseMs` when they are not let in. */
export function startClients(
  clock: FakeClock,
  service: SimulatedService,
  gate: Gate,
  { clients, pauseMs = 5 }: { readonly clients: number; readonly pauseMs?: number },
): () => void {
  let stopped = false;
  let seed = 42;
  const noise = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return 0.9 + (0.2 * seed) / 2 ** 31;
  };
  const call = () => {
    if (stopped) return;
    const leave = gate.enter();
    if (!leave) {
      clock.schedule(call, pauseMs);
      return;
    }
    service.inFlight++;
    service.mostInFlight = Math.max(service.mostInFlight, service.inFlight);
    const tookMs = service.baseMs * Math.max(1, service.inFlight / service.capacity) * noise();
    clock.schedule(() => {
      service.inFlight--;
      service.served++;
      leave(tookMs);
      call();
    }, tookMs);
  };
  for (let client = 0; client < clients; client++) clock.schedule(call, client % 10);
  return () => {
    stopped = true;
  };
}
