import { report } from './report.ts';
import { runCommand } from './run-command.ts';
import { addTallies, type Tally } from './tally.ts';

/** The house's own targets through nx, so that what has not changed comes from its cache. */
export async function runTasks(targets: readonly string[]): Promise<Tally> {
  const tallies: Tally[] = [];
  for (const target of targets) {
    const startedAtMs = performance.now();
    const { code, output } = await runCommand(
      'nx',
      ['run-many', '-t', target, '-p', 'starr', '--outputStyle=static'],
      { show: false, env: { NX_TUI: 'false' } },
    );
    tallies.push(report(target, code === 0, startedAtMs, output));
  }
  return addTallies(tallies);
}
