import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BreakerSnapshot } from '@starr/policies';
import type { ProgramAnswer, ProgramOptions, ProgramOrder } from './attached-program.ts';

export interface Program {
  readonly pid: number;
  order(order: ProgramOrder): Promise<ProgramAnswer>;
  breaker(): Promise<BreakerSnapshot>;
  signal(signal: NodeJS.Signals): void;
  /** Kills it, whatever its state, and waits for its end. */
  kill(): Promise<void>;
}

/** A real process with policies, attached to the service at the address. It ends with its parent. */
export function startProgram(options: ProgramOptions): Program {
  const child = fork(
    fileURLToPath(new URL('./attached-program.ts', import.meta.url)),
    [JSON.stringify(options)],
    {
      execArgv: ['--conditions=@starr/source', '--disable-warning=ExperimentalWarning'],
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  const exited = once(child, 'exit');
  const order = async (what: ProgramOrder): Promise<ProgramAnswer> => {
    const answered = once(child, 'message');
    child.send(what);
    const [answer] = (await answered) as [ProgramAnswer];
    return answer;
  };
  return {
    pid: child.pid ?? 0,
    order,
    async breaker() {
      const { policies } = await order('show');
      const found = policies.find((policy) => policy.kind === 'breaker');
      if (!found) throw new Error('the program has no breaker');
      return found;
    },
    signal(signal) {
      child.kill(signal);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
