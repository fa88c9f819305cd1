/** What can be made wrong on purpose: what the amount after the colon means, its default and its range. */
const FAULTS = {
  /** Every n-th checkout takes a connection from the pool and never gives it back. */
  'leak-connections': { amount: 'every n-th checkout', byDefault: 5, from: 1, to: 1000 },
  /** The look for the customer takes so many milliseconds on the server. */
  'slow-query': { amount: 'ms', byDefault: 2000, from: 1, to: 60_000 },
  /** The breaker of payments, once open, waits so many seconds for its first probe. */
  'breaker-stuck': { amount: 's', byDefault: 3600, from: 1, to: 3600 },
  /** Every checkout leaves a page of so many KiB and a few small keys of its own in Redis, without an end. */
  'cache-fill': { amount: 'KiB', byDefault: 64, from: 1, to: 1024 },
  /** So many error lines a minute about something that has been broken for ever and that nobody needs. */
  errors: { amount: 'lines a minute', byDefault: 120, from: 1, to: 6000 },
  /** A pool of so many connections that were opened at the start, are looked after and never needed. */
  'static-pool': { amount: 'connections', byDefault: 60, from: 1, to: 1000 },
  /** So many sessions begin a report in a transaction with a snapshot, and are forgotten. */
  'forgotten-transaction': { amount: 'sessions', byDefault: 1, from: 1, to: 100 },
  /** Every n-th checkout asks for an order by its payment, by which no index finds it. */
  'unindexed-look': { amount: 'every n-th checkout', byDefault: 1, from: 1, to: 1000 },
  /** Every job of the worker takes so many milliseconds longer. */
  'slow-jobs': { amount: 'ms', byDefault: 2000, from: 1, to: 60_000 },
} as const;

export type FaultName = keyof typeof FAULTS;
export interface Fault {
  readonly name: FaultName;
  readonly amount: number;
}

export type ParsedFaults =
  | { readonly kind: 'valid'; readonly faults: readonly Fault[] }
  | { readonly kind: 'invalid'; readonly problem: string };

/** Reads `leak-connections:3,errors`; without an amount the default holds. Empty: none. */
export function parseFaults(text: string): ParsedFaults {
  const faults: Fault[] = [];
  for (const word of text.split(',').filter((each) => each !== '')) {
    const [name = '', amountText] = word.split(':');
    if (!isFaultName(name)) {
      const known = Object.keys(FAULTS).join(', ');
      return { kind: 'invalid', problem: `"${name}" is not a fault; there are ${known}` };
    }
    const { amount: unit, byDefault, from, to } = FAULTS[name];
    const amount = amountText === undefined ? byDefault : Number(amountText);
    if (!Number.isInteger(amount) || amount < from || amount > to) {
      return { kind: 'invalid', problem: `"${word}": ${name} takes ${from} to ${to} ${unit}` };
    }
    faults.push({ name, amount });
  }
  return { kind: 'valid', faults };
}

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}

export type FaultListener = (fault: Fault, is: 'on' | 'off') => void;

/** The faults that are on in this process; switched by its environment or by POST /faults. */
export class FaultSwitch {
  readonly #on = new Map<FaultName, number>();
  readonly #listeners: FaultListener[] = [];

  /** The amount, or undefined while the fault is off. */
  amount(name: FaultName): number | undefined {
    return this.#on.get(name);
  }

  turnOn(fault: Fault): void {
    if (this.#on.get(fault.name) === fault.amount) return;
    this.turnOff(fault.name);
    this.#on.set(fault.name, fault.amount);
    for (const listener of this.#listeners) listener(fault, 'on');
  }

  turnOff(name: FaultName): void {
    const amount = this.#on.get(name);
    if (amount === undefined) return;
    this.#on.delete(name);
    for (const listener of this.#listeners) listener({ name, amount }, 'off');
  }

  /** Called at each switch; a new listener hears of nothing that is on already. */
  onSwitch(listener: FaultListener): void {
    this.#listeners.push(listener);
  }

  list(): Fault[] {
    return [...this.#on].map(([name, amount]) => ({ name, amount }));
  }
}
