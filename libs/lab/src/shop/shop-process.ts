import { randomInt } from 'node:crypto';
import { type Exit, type Leashed, startLeashed, waitUntilReady } from '@starr/store';
import { type ShopRole, shopProgram, sourceAddressOption } from './shop-program.ts';

const READY_WITHIN_MS = 30_000;

/** One line of a process's log, parsed. */
export type ShopLogLine = Readonly<Record<string, unknown>>;

/** One running process of the shop. */
export interface ShopProcess {
  readonly role: ShopRole;
  readonly instance: string;
  readonly revision: string;
  /** Where it listens and where its connections come from. */
  readonly address: string;
  /** e.g. `http://127.101.7.1:23456`. */
  readonly url: string;
  readonly pid: number;
  /** Resolves when it has ended, however it ended. */
  readonly exited: Promise<Exit>;
  /** Switches faults as FAULTS spells them, e.g. `{ on: 'leak-connections:3', off: 'errors' }`. */
  switchFaults(faults: { readonly on?: string; readonly off?: string }): Promise<void>;
  /** GET /state: its policies and faults. */
  state(): Promise<ShopLogLine>;
  /** POST a JSON body; rejects unless the answer is a success. */
  post(path: string, body: unknown): Promise<unknown>;
  /** Its last log lines, oldest first. */
  log(): ShopLogLine[];
  /** Every further log line, until the returned function is called. */
  onLog(listener: (line: ShopLogLine) => void): () => void;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
}

export interface ShopPlace {
  readonly role: ShopRole;
  readonly instance: string;
  readonly revision: string;
  readonly address: string;
  /** Of the role, as apps/shop's config.ts names them; undefined is left out. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Starts a process and waits until it listens. */
export async function startShopProcess(place: ShopPlace): Promise<ShopProcess> {
  const leashed = launch(place);
  await waitUntilReady(
    leashed,
    { kind: 'line', matches: (line) => parsed(line)['msg'] === 'listening' },
    READY_WITHIN_MS,
  );
  const listening = leashed.output.lines.map(parsed).find((line) => line['msg'] === 'listening');
  return processFrom(place, leashed, String(listening?.['url']));
}

/** Runs a role that ends by itself, such as `setup`; rejects with its last lines when it fails. */
export async function runShopProcess(place: ShopPlace): Promise<void> {
  const leashed = launch(place);
  const late = setTimeout(() => void leashed.kill(), READY_WITHIN_MS);
  const exit = await leashed.exited;
  clearTimeout(late);
  if (exit.code !== 0)
    throw new Error(`${leashed.name} failed; its last lines:\n${leashed.tail(50)}`);
}

function launch({ role, instance, revision, address, env }: ShopPlace): Leashed {
  const { entrypoint, workingDir, env: always } = shopProgram(role);
  const [command = '', ...args] = entrypoint;
  return startLeashed({
    name: `shop ${instance}`,
    command,
    args,
    cwd: workingDir,
    env: {
      PATH: process.env['PATH'],
      NODE_OPTIONS: sourceAddressOption(),
      ...always,
      STARR_POD_IP: address,
      SHOP_INSTANCE: instance,
      SHOP_REVISION: revision,
      ...Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    },
  });
}

function processFrom(place: ShopPlace, leashed: Leashed, url: string): ShopProcess {
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    const answer: unknown = await response.json();
    if (!response.ok)
      throw new Error(
        `${place.instance}${path} answered ${response.status}: ${JSON.stringify(answer)}`,
      );
    return answer;
  };
  return {
    role: place.role,
    instance: place.instance,
    revision: place.revision,
    address: place.address,
    url,
    pid: leashed.pid,
    exited: leashed.exited,
    post,
    switchFaults: async (faults) => {
      await post('/faults', faults);
    },
    state: async () => (await (await fetch(`${url}/state`)).json()) as ShopLogLine,
    log: () => leashed.output.lines.map(parsed),
    onLog: (listener) =>
      leashed.output.subscribe((line) => {
        listener(parsed(line));
      }),
    stop: async () => {
      await leashed.stop();
    },
    kill: async () => {
      await leashed.kill();
    },
    pause: () => {
      leashed.pause();
    },
    resume: () => {
      leashed.resume();
    },
  };
}

/** A line that is no JSON (a crash's stack) becomes its own message. */
function parsed(line: string): ShopLogLine {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as ShopLogLine;
  } catch {
    // below
  }
  return { msg: line };
}

export interface Network {
  next(): string;
}

/** Addresses that no other shop on this machine is likely to use at the same time. */
export function createNetwork(): Network {
  const prefix = `127.${randomInt(110, 250)}.${randomInt(0, 250)}`;
  let last = 0;
  return {
    next() {
      last += 1;
      return `${prefix}.${last}`;
    },
  };
}

/** A role of which there is one. */
export function plainPlace(role: ShopPlace['role'], address: string): Omit<ShopPlace, 'env'> {
  return { role, instance: role, revision: '1', address };
}
