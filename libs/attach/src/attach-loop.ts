import { Metadata, type StatusObject } from '@grpc/grpc-js';
import type { ProcessIdentity, ResilienceServiceClient } from '@starr/wire';
import type { AttachChange, AttachOptions } from './attach-options.ts';
import { AttachedStream } from './attached-stream.ts';
import { CommandLog } from './command-log.ts';

const standardRetryMs = { first: 200, longest: 3000 };
const welcomeWithinMs = 5000;
const detachWithinMs = 1000;

/** Keeps one stream to the service: opens it, waits with backoff when it is lost, opens it again. */
export class AttachLoop {
  state: 'attached' | 'away' | 'stopped' = 'away';
  readonly #client: ResilienceServiceClient;
  readonly #identity: ProcessIdentity;
  readonly #options: AttachOptions;
  // Of the process, not of a stream: a command may be repeated over the next one.
  readonly #log: CommandLog;
  #stream: AttachedStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempts = 0;

  constructor(client: ResilienceServiceClient, identity: ProcessIdentity, options: AttachOptions) {
    this.#client = client;
    this.#identity = identity;
    this.#options = options;
    this.#log = new CommandLog(options.policies);
  }

  start(): void {
    void this.#open();
  }

  async stop(): Promise<void> {
    if (this.state === 'stopped') return;
    this.state = 'stopped';
    clearTimeout(this.#timer);
    await this.#stream?.detach(detachWithinMs);
    this.#client.close();
  }

  async #open(): Promise<void> {
    let metadata: Metadata;
    try {
      metadata = await this.#credential();
    } catch {
      this.#retry('the token cannot be read');
      return;
    }
    if (this.#isStopped()) return;
    const call = this.#client.attach(metadata);
    const stream = new AttachedStream(call, this.#identity, this.#options.policies, this.#log);
    this.#stream = stream;
    this.#timer = setTimeout(() => {
      call.cancel();
    }, welcomeWithinMs).unref();
    stream.onWelcome = () => {
      clearTimeout(this.#timer);
      this.#attempts = 0;
      this.#change({ state: 'attached' });
    };
    call.on('status', (status: StatusObject) => {
      clearTimeout(this.#timer);
      stream.close();
      this.#stream = undefined;
      this.#retry(status.details === '' ? 'the service ended the stream' : status.details);
    });
  }

  async #credential(): Promise<Metadata> {
    const metadata = new Metadata();
    const token = await this.#options.token?.();
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    return metadata;
  }

  #retry(why: string): void {
    if (this.#isStopped()) return;
    // told at the first miss and at each loss, not at every attempt
    if (this.state === 'attached' || this.#attempts === 0) this.#change({ state: 'away', why });
    const { first, longest } = this.#options.retryMs ?? standardRetryMs;
    const waitMs = Math.random() * Math.min(longest, first * 2 ** this.#attempts);
    this.#attempts++;
    this.#timer = setTimeout(() => {
      void this.#open();
    }, waitMs).unref();
  }

  #change(change: AttachChange): void {
    if (this.#isStopped()) return;
    this.state = change.state;
    try {
      this.#options.onChange?.(change);
    } catch {
      // the log of the process is not worth its attachment
    }
  }

  #isStopped(): boolean {
    return this.state === 'stopped';
  }
}
