import type { TrafficConfig } from '../config.ts';
import { fieldOf } from '../fault-routes.ts';
import { BadRequest } from '../http-server.ts';
import type { Log } from '../log.ts';
import type { RunningRole } from '../running-role.ts';
import { createRandom } from './random.ts';
import { sendCheckout } from './send-checkout.ts';
import { type Met, type TrafficWindow, windowOf } from './traffic-window.ts';

const TICK_MS = 20;
const MAX_IN_FLIGHT = 500;
const KEPT_WINDOWS = 600;
const CUSTOMERS = 1000;

/**
 * Steady users: so many checkouts a second whatever the shop answers (an open loop: users do not wait
 * for each other), to loopback only, bounded in time, in number and in flight. What it reports is
 * what users meet, not what the shop says of itself: one line `window` in the log for each window.
 * POST /targets with `{ "targets": [...] }` aims it elsewhere.
 */
export function composeTraffic(config: TrafficConfig, log: Log): RunningRole {
  let targets = parseTargets(config.targets);
  const users = new Users(config, () => targets);
  const windows: TrafficWindow[] = [];
  const { promise: done, resolve: end } = Promise.withResolvers<undefined>();
  let ticking: NodeJS.Timeout | undefined;
  let summing: NodeJS.Timeout | undefined;
  const sum = (): void => {
    const window = users.takeWindow();
    windows.push(window);
    if (windows.length > KEPT_WINDOWS) windows.shift();
    log.info('window', { ...window });
  };
  return {
    routes: {
      'GET /windows': () => ({ status: 200, body: { windows } }),
      'POST /targets': (body) => {
        const asked = fieldOf(body, 'targets');
        if (!Array.isArray(asked)) throw new BadRequest('"targets" must be a list of addresses');
        targets = parseTargets(asked.map(String));
        return { status: 200, body: { targets } };
      },
    },
    state: () => ({ targets, sent: users.sent, inFlight: users.inFlight }),
    done,
    started() {
      ticking = setInterval(() => {
        if (!users.sendDue()) end(undefined);
      }, TICK_MS);
      summing = setInterval(sum, config.windowMs);
    },
    async stop() {
      clearInterval(ticking);
      await users.settled();
      clearInterval(summing);
      sum();
    },
  };
}

/** Only loopback: a load generator that can be aimed elsewhere is a weapon. */
function parseTargets(targets: readonly string[]): readonly string[] {
  for (const target of targets) {
    const host = URL.canParse(target) ? new URL(target).hostname : '';
    if (!/^127\.\d+\.\d+\.\d+$/.test(host)) {
      throw new BadRequest(
        `"${target}" is not an address on loopback such as http://127.0.0.1:8080`,
      );
    }
  }
  return targets;
}

class Users {
  readonly #config: TrafficConfig;
  readonly #targets: () => readonly string[];
  readonly #random: () => number;
  readonly #flying = new Set<Promise<void>>();
  readonly #beganAtMs = performance.now();
  #met: Met[] = [];
  #windowBegan = new Date();
  sent = 0;

  constructor(config: TrafficConfig, targets: () => readonly string[]) {
    this.#config = config;
    this.#targets = targets;
    this.#random = createRandom(config.seed);
  }

  get inFlight(): number {
    return this.#flying.size;
  }

  /** Sends what is due by now; false when a bound is reached and there is nothing more to send. */
  sendDue(): boolean {
    const { perSecond, forMs, maxRequests } = this.#config;
    const sinceMs = performance.now() - this.#beganAtMs;
    const due = Math.min(maxRequests, Math.floor((Math.min(sinceMs, forMs) / 1000) * perSecond));
    while (this.sent < due) this.#send();
    return sinceMs < forMs && this.sent < maxRequests;
  }

  takeWindow(): TrafficWindow {
    const window = windowOf(this.#met, this.#windowBegan, this.#config.windowMs);
    this.#met = [];
    this.#windowBegan = new Date();
    return window;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#flying);
  }

  #send(): void {
    this.sent += 1;
    if (this.#flying.size >= MAX_IN_FLIGHT) {
      // The user is there and does not get in.
      this.#met.push({ kind: 'failed', tookMs: 0, reason: 'too many in flight' });
      return;
    }
    const targets = this.#targets();
    const first = targets.length === 0 ? 0 : this.sent % targets.length;
    const inTurn = [...targets.slice(first), ...targets.slice(0, first)];
    const checkout = {
      customerId: 1 + Math.floor(this.#random() * CUSTOMERS),
      amountCents: 100 + Math.floor(this.#random() * 20_000),
    };
    const flight = sendCheckout(inTurn, checkout, this.#config.timeoutMs).then((met) => {
      this.#met.push(met);
      this.#flying.delete(flight);
    });
    this.#flying.add(flight);
  }
}
