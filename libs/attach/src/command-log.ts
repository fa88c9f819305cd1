import type { Policies } from '@starr/policies';
import type { CommandEnd, ProcessCommand } from '@starr/wire';

/** Commands whose ends a process remembers; the oldest are forgotten first. */
const remembered = 1000;

type Act = Extract<ProcessCommand, { kind: 'reset-breaker' }>;

/**
 * Executes commands at most once for an id and remembers how they ended, so that a lost acknowledgement can be
 * asked for again. An id that was asked for before it came is never executed: whoever asked went on without it.
 */
export class CommandLog {
  readonly #policies: Policies;
  readonly #ends = new Map<string, CommandEnd>();

  constructor(policies: Policies) {
    this.#policies = policies;
  }

  execute(id: string, command: Act | undefined): CommandEnd {
    const known = this.#ends.get(id);
    if (known) return known;
    return this.#remember(id, this.#act(command));
  }

  recall(id: string): CommandEnd {
    return (
      this.#ends.get(id) ??
      this.#remember(id, { kind: 'not-done', says: 'the command never came here' })
    );
  }

  #act(command: Act | undefined): CommandEnd {
    if (!command) return { kind: 'not-done', says: 'this version does not know such a command' };
    const breaker = this.#policies.findBreaker(command.breaker);
    if (!breaker) return { kind: 'not-done', says: `there is no breaker ${command.breaker}` };
    const { epoch, state } = command;
    const result = breaker.reset({ epoch, state });
    switch (result.kind) {
      case 'reset':
        return { kind: 'done', before: result.before, after: result.after };
      case 'refused':
        return { kind: 'refused', now: result.now };
    }
  }

  #remember(id: string, end: CommandEnd): CommandEnd {
    this.#ends.set(id, end);
    if (this.#ends.size > remembered) {
      for (const oldest of this.#ends.keys()) {
        this.#ends.delete(oldest);
        break;
      }
    }
    return end;
  }
}
