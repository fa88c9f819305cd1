import { spawn } from 'node:child_process';
import { mineTemplates } from '@starr/kubernetes';
import { race } from '../race.ts';
import type { Spread } from '../statistics.ts';

const LINES = 100_000;

export interface MinerBench {
  readonly lines: number;
  readonly templates: number;
  /** Distinct lines: what a person gets to read in place of templates. */
  readonly distinct: number;
  readonly miner: Spread;
  /** `sort | uniq -c | sort -rn`, fed through a pipe. */
  readonly pipe: Spread;
}

/** The same lines through the miner and through the guide's pipe. */
export async function benchMiner(rounds: number): Promise<MinerBench> {
  const lines = linesOf(LINES);
  const { miner, pipe } = await race(
    {
      miner: () => {
        const startedAtMs = performance.now();
        mineTemplates(lines);
        return Promise.resolve(performance.now() - startedAtMs);
      },
      pipe: () => throughPipe(lines.join('\n')),
    },
    rounds,
  );
  return {
    lines: LINES,
    templates: mineTemplates(lines).length,
    distinct: new Set(lines).size,
    miner,
    pipe,
  };
}

/** Errors as applications write them: few kinds, with numbers, addresses and ids in them. */
function linesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => {
    const id = ((n * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0');
    switch (n % 5) {
      case 0:
        return `timeout acquiring client after ${1000 + (n % 977)} ms for order ${n}`;
      case 1:
        return `connect ECONNREFUSED 10.0.${n % 200}.${n % 250}:5432`;
      case 2:
        return `payment ${id}-1111-4222-8333-${id}${id.slice(4)} was refused with status 503`;
      case 3:
        return 'circuit breaker payments is open';
      default:
        return `request ${id} GET /orders/${n % 5000} failed: canceling statement due to statement timeout`;
    }
  });
}

function throughPipe(text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAtMs = performance.now();
    const child = spawn('sh', ['-c', 'sort | uniq -c | sort -rn'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdout.resume();
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(performance.now() - startedAtMs);
      else reject(new Error(`sort | uniq ended with ${code ?? 'a signal'}`));
    });
    child.stdin.end(text);
  });
}
