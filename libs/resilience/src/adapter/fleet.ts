import type { Clock } from '@starr/kernel';
import type { AttachedProcess } from '../attached-process.ts';
import type { BreakerState, BreakerView, PolicyView } from '../policy-view.ts';

/** Who an attached process is. */
export interface FleetIdentity {
  readonly service: string;
  readonly instance: string;
  readonly pid: number;
  readonly pod?: { readonly namespace?: string; readonly name?: string; readonly ip?: string };
}

export interface FleetReport {
  readonly policies: readonly PolicyView[];
  readonly unreadable: number;
  /** The command that asked for it. */
  readonly answers?: string;
}

export type FleetCommand =
  | { readonly kind: 'report-now' }
  | {
      readonly kind: 'reset-breaker';
      readonly breaker: string;
      readonly epoch: number;
      readonly state: BreakerState;
    }
  | { readonly kind: 'recall'; readonly commandId: string };

/** How a command ended in its process. */
export type FleetCommandEnd =
  | { readonly kind: 'done'; readonly before: BreakerView; readonly after: BreakerView }
  | { readonly kind: 'refused'; readonly now: BreakerView }
  | { readonly kind: 'not-done'; readonly says: string };

export type FleetAnswer =
  | FleetCommandEnd
  /** It was not attached, so nothing was sent. */
  | { readonly kind: 'not-attached' }
  /** It was sent, and no answer came: it may have been done. */
  | { readonly kind: 'no-answer' };

/** The way to a process; owned by whoever attached it. */
export interface FleetLink {
  send(commandId: string, command: FleetCommand): void;
  /** Ends the stream: another life of the same instance has come, or the process is silent for too long. */
  close(why: string): void;
}

export interface FleetMember<I extends FleetIdentity, R extends FleetReport> {
  readonly identity: I;
  readonly peerAddress?: string;
  readonly attachedAt: Date;
  readonly report?: R;
  readonly reportedAt?: Date;
}

export type FleetEvent<I extends FleetIdentity, R extends FleetReport> =
  | { readonly kind: 'changed'; readonly member: FleetMember<I, R> }
  /** clean: the process said so; otherwise its stream was lost. */
  | { readonly kind: 'detached'; readonly identity: I; readonly clean: boolean };

/** One attachment, as its stream feeds it. */
export interface Attached<R extends FleetReport> {
  report(report: R): void;
  acknowledge(commandId: string, end: FleetCommandEnd): void;
  detach(clean: boolean): void;
}

type Answered = FleetCommandEnd | 'reported' | 'gone';

interface Entry<I extends FleetIdentity, R extends FleetReport> {
  member: FleetMember<I, R>;
  readonly link: FleetLink;
  heardAtMs: number;
  /** Command id → who waits for its end. */
  readonly waiting: Map<string, (answer: Answered) => void>;
}

/** A process that says nothing for so long is not attached any more, whatever its stream pretends. */
const silentForMs = 30_000;

/** The attached processes: their newest reports, and commands to them. Knows no transport. */
export class Fleet<I extends FleetIdentity = FleetIdentity, R extends FleetReport = FleetReport> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<I, R>>();
  readonly #listeners = new Set<(event: FleetEvent<I, R>) => void>();
  #looks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A second attachment of one instance ends the first. */
  attach(identity: I, peerAddress: string | undefined, link: FleetLink): Attached<R> {
    const key = keyOf(identity.service, identity.instance);
    const earlier = this.#entries.get(key);
    if (earlier) this.#remove(key, earlier, false, 'the same instance attached again');
    const entry: Entry<I, R> = {
      member: {
        identity,
        attachedAt: this.#clock.now(),
        ...(peerAddress !== undefined && { peerAddress }),
      },
      link,
      heardAtMs: this.#clock.monotonicMs(),
      waiting: new Map(),
    };
    this.#entries.set(key, entry);
    this.#tell({ kind: 'changed', member: entry.member });
    return {
      report: (report) => {
        this.#report(entry, report);
      },
      acknowledge: (commandId, end) => {
        entry.heardAtMs = this.#clock.monotonicMs();
        entry.waiting.get(commandId)?.(end);
      },
      detach: (clean) => {
        if (this.#entries.get(key) === entry) this.#remove(key, entry, clean);
      },
    };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Ordered by service and instance. */
  members(): FleetMember<I, R>[] {
    return [...this.#entries.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { member }]) => member);
  }

  listen(listener: (event: FleetEvent<I, R>) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Asks every process for a report and waits for all, but no longer than `withinMs`. */
  async look(withinMs: number, signal?: AbortSignal): Promise<AttachedProcess[]> {
    this.#evictSilent();
    this.#looks++;
    const commandId = `look-${this.#looks}`;
    const startedMs = this.#clock.monotonicMs();
    const entries = [...this.#entries.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    const answers = await Promise.all(
      entries.map(([, entry]) =>
        this.#ask(entry, commandId, { kind: 'report-now' }, withinMs, signal),
      ),
    );
    const waitedMs = this.#clock.monotonicMs() - startedMs;
    return entries.flatMap(([, { member }], index) => {
      const answer = answers[index];
      // gone while it was asked: no process any more
      if (answer === 'gone') return [];
      return [seenOf(member, answer === 'reported' ? undefined : waitedMs)];
    });
  }

  /** Sends one command to one process; the process executes an id at most once. */
  async command(
    service: string,
    instance: string,
    commandId: string,
    command: FleetCommand,
    withinMs: number,
  ): Promise<FleetAnswer> {
    const entry = this.#entries.get(keyOf(service, instance));
    if (!entry) return { kind: 'not-attached' };
    const answer = await this.#ask(entry, commandId, command, withinMs);
    return typeof answer === 'string' ? { kind: 'no-answer' } : answer;
  }

  /** True as soon as all are attached; false when they are not within `withinMs`. */
  async waitForAttached(
    service: string,
    instances: readonly string[],
    withinMs: number,
  ): Promise<boolean> {
    const missing = () =>
      instances.some((instance) => !this.#entries.has(keyOf(service, instance)));
    if (!missing()) return true;
    const there = new AbortController();
    const stop = this.listen(() => {
      if (!missing()) there.abort();
    });
    await this.#clock.sleep(withinMs, there.signal);
    stop();
    return !missing();
  }

  /** Ends every stream; the processes come back when there is a service again. */
  close(): void {
    for (const [key, entry] of this.#entries) {
      this.#remove(key, entry, false, 'the service stops');
    }
  }

  async #ask(
    entry: Entry<I, R>,
    commandId: string,
    command: FleetCommand,
    withinMs: number,
    signal?: AbortSignal,
  ): Promise<Answered | 'late'> {
    const { promise, resolve } = Promise.withResolvers<Answered>();
    const done = new AbortController();
    entry.waiting.set(commandId, resolve);
    const forget = () => {
      done.abort();
    };
    signal?.addEventListener('abort', forget, { once: true });
    entry.link.send(commandId, command);
    const late = this.#clock.sleep(withinMs, done.signal).then(() => 'late' as const);
    try {
      return await Promise.race([promise, late]);
    } finally {
      entry.waiting.delete(commandId);
      signal?.removeEventListener('abort', forget);
      done.abort();
    }
  }

  #report(entry: Entry<I, R>, report: R): void {
    entry.heardAtMs = this.#clock.monotonicMs();
    entry.member = { ...entry.member, report, reportedAt: this.#clock.now() };
    if (report.answers !== undefined) entry.waiting.get(report.answers)?.('reported');
    this.#tell({ kind: 'changed', member: entry.member });
  }

  #evictSilent(): void {
    const heardBefore = this.#clock.monotonicMs() - silentForMs;
    for (const [key, entry] of this.#entries) {
      if (entry.heardAtMs < heardBefore) this.#remove(key, entry, false, 'silent for too long');
    }
  }

  #remove(key: string, entry: Entry<I, R>, clean: boolean, closeBecause?: string): void {
    this.#entries.delete(key);
    // somebody who waits for its answer will get none
    for (const resolve of entry.waiting.values()) resolve('gone');
    if (closeBecause !== undefined) entry.link.close(closeBecause);
    this.#tell({ kind: 'detached', identity: entry.member.identity, clean });
  }

  #tell(event: FleetEvent<I, R>): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function keyOf(service: string, instance: string): string {
  return JSON.stringify([service, instance]);
}

function seenOf(
  { identity, peerAddress, report }: FleetMember<FleetIdentity, FleetReport>,
  silentMs: number | undefined,
): AttachedProcess {
  const { service, instance, pid, pod } = identity;
  return {
    service,
    instance,
    pid,
    ...(pod && { pod }),
    ...(peerAddress !== undefined && { peerAddress }),
    answer:
      silentMs === undefined && report
        ? { kind: 'reported', policies: report.policies, unreadable: report.unreadable }
        : { kind: 'silent', waitedMs: silentMs ?? 0 },
  };
}
