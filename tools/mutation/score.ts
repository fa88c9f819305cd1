import type { Mutant } from './run-stryker.ts';

export interface Score {
  readonly mutants: number;
  /** Noticed by a spec, or so slow that the run was ended. */
  readonly killed: number;
  readonly survivors: readonly Mutant[];
  /** 0–100 of the mutants that could run. */
  readonly percent: number;
}

/** Stryker's own mutation score: what no spec covers counts against it, what could not run does not count. */
export function scoreOf(mutants: readonly Mutant[]): Score {
  const counted = mutants.filter(
    ({ status }) => !['CompileError', 'RuntimeError', 'Ignored', 'Pending'].includes(status),
  );
  const survivors = counted.filter(
    ({ status }) => status === 'Survived' || status === 'NoCoverage',
  );
  const killed = counted.length - survivors.length;
  return {
    mutants: counted.length,
    killed,
    survivors,
    percent: counted.length === 0 ? 0 : (killed / counted.length) * 100,
  };
}

export function scoreLine(name: string, { mutants, killed, percent }: Score): string {
  return `${name.padEnd(10)} ${killed} of ${mutants} mutants noticed: ${percent.toFixed(1)} %`;
}

export function survivorLine({ file, line, column, mutator, replacement, status }: Mutant): string {
  const unseen = status === 'NoCoverage' ? ' (no spec runs it)' : '';
  const shown = replacement.replaceAll(/\s+/g, ' ').slice(0, 90);
  return `  ${file}:${line}:${column} ${mutator} → ${shown}${unseen}`;
}
