import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Policies } from '@starr/policies';
import {
  processMessageToProto,
  serviceMessageFromProto,
  type AttachRequest,
  type AttachResponse,
  type ProcessCommand,
  type ProcessIdentity,
  type ProcessMessage,
} from '@starr/wire';
import type { CommandLog } from './command-log.ts';

/** Transitions within so short a time share one report. */
const gatherMs = 20;

type Call = ClientDuplexStream<AttachRequest, AttachResponse>;

/** One stream to the service: says who we are, reports, executes commands. Ends with its call. */
export class AttachedStream {
  onWelcome: () => void = () => undefined;
  readonly #call: Call;
  readonly #policies: Policies;
  readonly #log: CommandLog;
  readonly #stopListening: () => void;
  #interval: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #welcomed = false;
  #blocked = false;
  #owesReport = false;

  constructor(call: Call, identity: ProcessIdentity, policies: Policies, log: CommandLog) {
    this.#call = call;
    this.#policies = policies;
    this.#log = log;
    this.#stopListening = policies.onTransition(() => {
      this.#reportSoon();
    });
    // its status tells the same, and without a listener the process would die of it
    call.on('error', () => undefined);
    call.on('data', (response: AttachResponse) => {
      this.#receive(serviceMessageFromProto(response));
    });
    call.on('drain', () => {
      this.#blocked = false;
      if (this.#owesReport) this.#report();
    });
    this.#send({ kind: 'hello', identity });
  }

  /** Says goodbye and waits for the end of the call, but no longer than `withinMs`. */
  async detach(withinMs: number): Promise<void> {
    this.close();
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        this.#call.cancel();
        resolve();
      }, withinMs);
      this.#call.on('status', () => {
        clearTimeout(late);
        resolve();
      });
      this.#send({ kind: 'goodbye' });
      this.#call.end();
    });
  }

  /** Sends nothing more; the call itself is left to its owner. */
  close(): void {
    this.#welcomed = false;
    this.#stopListening();
    clearInterval(this.#interval);
    clearTimeout(this.#gathering);
  }

  #receive(message: ReturnType<typeof serviceMessageFromProto>): void {
    switch (message?.kind) {
      case 'welcome':
        this.#welcome(message.reportIntervalMs);
        return;
      case 'command':
        this.#obey(message.id, message.command);
        return;
      case undefined:
    }
  }

  #welcome(reportIntervalMs: number): void {
    if (this.#welcomed) return;
    this.#welcomed = true;
    this.#interval = setInterval(() => {
      this.#report();
    }, reportIntervalMs).unref();
    this.#report();
    this.onWelcome();
  }

  #obey(id: string, command: ProcessCommand | undefined): void {
    switch (command?.kind) {
      case 'report-now':
        this.#report(id);
        return;
      case 'recall':
        this.#send({
          kind: 'acknowledgement',
          commandId: id,
          end: this.#log.recall(command.commandId),
        });
        return;
      case 'reset-breaker':
      case undefined:
        this.#send({ kind: 'acknowledgement', commandId: id, end: this.#log.execute(id, command) });
    }
  }

  #reportSoon(): void {
    if (!this.#welcomed || this.#gathering !== undefined) return;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      this.#report();
    }, gatherMs).unref();
  }

  // The newest state is enough: while the service does not read, one report is owed, not one each time.
  #report(answers?: string): void {
    if (this.#blocked && answers === undefined) {
      this.#owesReport = true;
      return;
    }
    this.#owesReport = false;
    this.#send({
      kind: 'report',
      report: {
        takenAt: new Date(),
        policies: this.#policies.snapshots(),
        unreadable: 0,
        ...(answers !== undefined && { answers }),
      },
    });
  }

  #send(message: ProcessMessage): void {
    if (!this.#call.write(processMessageToProto(message))) this.#blocked = true;
  }
}
