import { EventLog } from '@starr/kernel';
import type { Opener } from '@starr/store';
import type { SweepEvent, SweepRequest } from '@starr/wire';
import { runSweep } from './run-sweep.ts';
import type { SweepContext } from './sweep-run.ts';
import { checkSweepRequest, sweepKey } from './sweep-request.ts';

interface SharedRun {
  readonly events: EventLog<SweepEvent>;
  readonly abort: AbortController;
  waiting: number;
}

/** Sweeps asked for at once share one run; it is cancelled only when the last one who waits has gone. */
export class SharedSweeps {
  readonly #context: SweepContext;
  readonly #runs = new Map<string, SharedRun>();

  constructor(context: SweepContext) {
    this.#context = context;
  }

  /** How many runs are under way. */
  get running(): number {
    return this.#runs.size;
  }

  /** Those who join get the events so far first. Fails with WIRE_INVALID for a request that nobody can mean. */
  async *sweep(
    request: SweepRequest,
    requester: Opener,
    signal: AbortSignal,
  ): AsyncGenerator<SweepEvent> {
    const plan = checkSweepRequest(request);
    const key = sweepKey(plan);
    const running = this.#runs.get(key);
    const joined = running !== undefined && !running.abort.signal.aborted;
    const run = joined ? running : this.#start(key, plan, requester);
    run.waiting += 1;
    try {
      for await (const event of run.events.follow(signal))
        yield event.kind === 'started' ? { ...event, joined } : event;
    } finally {
      run.waiting -= 1;
      if (run.waiting === 0 && !run.events.isClosed) run.abort.abort();
    }
  }

  #start(key: string, plan: ReturnType<typeof checkSweepRequest>, requester: Opener): SharedRun {
    const run: SharedRun = { events: new EventLog(), abort: new AbortController(), waiting: 0 };
    this.#runs.set(key, run);
    void runSweep(this.#context, plan, requester, run.events, run.abort.signal).finally(() => {
      if (this.#runs.get(key) === run) this.#runs.delete(key);
    });
    return run;
  }
}
