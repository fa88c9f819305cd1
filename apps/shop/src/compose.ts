import { stopTelemetry } from '@starr/telemetry';
import { composeCheckout } from './checkout/checkout.ts';
import type { Config, Place } from './config.ts';
import { faultRoutes } from './fault-routes.ts';
import { FaultSwitch } from './faults.ts';
import { type Routes, serve } from './http-server.ts';
import { joinResilience } from './join-resilience.ts';
import { type Log, createLog } from './log.ts';
import { composePayments } from './payments/payments.ts';
import type { RunningRole } from './running-role.ts';
import { setUp } from './setup/set-up.ts';
import { composeTraffic } from './traffic/traffic.ts';
import { composeWorker } from './worker/worker.ts';

export interface App {
  /** Resolves when there is nothing more to do; most roles never end by themselves. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/** Builds and starts the process of one role. */
export async function compose(config: Config): Promise<App> {
  if (config.role === 'setup') {
    await setUp(config.adminUrl);
    return { done: Promise.resolve(), stop: () => Promise.resolve() };
  }
  const { place } = config;
  const log = createLog(
    { service: config.role, instance: place.instance, revision: place.revision },
    (line) => process.stdout.write(line),
  );
  const faults = new FaultSwitch();
  for (const fault of place.faults) faults.turnOn(fault);
  const role = roleOf(config, faults, log);
  const server = await serve(place.host, place.port, routesOf(role, place, faults), log, {
    'service.instance.id': place.instance,
    'service.version': place.revision,
  });
  log.info('listening', { url: server.url });
  const attachment =
    place.resilience === undefined || role.policies === undefined
      ? undefined
      : joinResilience(place.resilience, role.policies, place, log);
  role.started?.();
  return {
    done: role.done ?? new Promise(() => undefined),
    async stop() {
      await server.stop();
      await attachment?.stop();
      await role.stop();
      await stopTelemetry();
    },
  };
}

function roleOf(
  config: Exclude<Config, { role: 'setup' }>,
  faults: FaultSwitch,
  log: Log,
): RunningRole {
  switch (config.role) {
    case 'checkout':
      return composeCheckout(config.checkout, config.place, faults, log);
    case 'worker':
      return composeWorker(config.worker, faults, log);
    case 'payments':
      return composePayments(config.payments);
    case 'traffic':
      return composeTraffic(config.traffic, log);
  }
}

function routesOf(role: RunningRole, place: Place, faults: FaultSwitch): Routes {
  return {
    ...role.routes,
    ...faultRoutes(faults),
    'GET /healthz': () =>
      role.healthy?.() === false
        ? { status: 503, body: { status: 'unhealthy' } }
        : { status: 200, body: { status: 'ok' } },
    'GET /state': () => ({
      status: 200,
      body: {
        instance: place.instance,
        revision: place.revision,
        faults: faults.list(),
        policies: role.policies?.snapshots() ?? [],
        ...(role.state === undefined ? {} : { role: role.state() }),
      },
    }),
  };
}
