import type { NetCounts } from './footprint.ts';
import { judgeGoals, type Entrant } from './goals.ts';
import { WITHOUT_COMMAND } from './guide-commands.ts';
import { timesFaster, type Spread } from './statistics.ts';
import type { SceneResult, SweepBench } from './sweep-bench.ts';

const ENTRANTS: readonly (readonly [Entrant, string])[] = [
  ['process', 'starr sweep --json, as a process'],
  ['client', 'the same over gRPC, client connected'],
  ['inSequence', 'the guide, one after another'],
  ['allAtOnce', 'the guide, all at once'],
];
const MOST_SPANS = 12;

export function reportSweep(bench: SweepBench): string {
  const { commands, first, emptyProcess, scenes, footprint, processorMs } = bench;
  const { command, services, script } = processorMs;
  const checks = [...new Set(commands.map(({ check }) => check))];
  return [
    `The rival: ${commands.length} commands of the guide for ${checks.length} checks`,
    ...commands.map(({ program, args, check, section, filter }) => {
      const words = args.map((word) => word.replaceAll(/\s+/g, ' ')).join(' ');
      return `  ${check.padEnd(24)} ${program} ${words}${filter === undefined ? '' : ` | ${filter}`}   (${section})`;
    }),
    'Without a rival, though the sweep makes them too:',
    ...Object.entries(WITHOUT_COMMAND).map(([check, why]) => `  ${check.padEnd(24)} ${why}`),
    ...scenes.flatMap(sceneLines),
    '',
    'The first sweep of services that have just started',
    line('starr sweep --json, as a process', first.spread),
    `  ${first.withHistory} of ${first.spread.runs} had history; the others took both samples themselves`,
    line('a Node process that does nothing', emptyProcess),
    '',
    'Processor time a run, that of the patients left out',
    `  sweep   the command ${command.toFixed(0)} ms, the five services ${services.toFixed(0)} ms`,
    `  script  its ${commands.length} commands ${script.toFixed(0)} ms: ${(script / (command + services)).toFixed(2)} times the sweep, ${(script / services).toFixed(2)} times its services`,
    '',
    'Footprint a run, by the patients’ own counters (background taken off)',
    ...footprintLines(footprint),
  ].join('\n');
}

function sceneLines({
  scene,
  results,
  sample,
  spans,
  loadBefore,
  loadAfter,
}: SceneResult): string[] {
  const { process: own, client, inSequence, allAtOnce } = results;
  const ratio = (subject: Spread, rival: Spread) =>
    `${timesFaster(subject, rival).toFixed(2)} times`;
  return [
    '',
    `${scene}: ${sample.checks} checks, ${sample.blind} blind; causes: ${sample.causes.join(', ') || 'none'}; load ${loadBefore.toFixed(1)} → ${loadAfter.toFixed(1)}`,
    ...ENTRANTS.map(([name, says]) => line(says, results[name])),
    `  process faster than in sequence ${ratio(own, inSequence)}, than all at once ${ratio(own, allAtOnce)}`,
    `  client  faster than in sequence ${ratio(client, inSequence)}, than all at once ${ratio(client, allAtOnce)}`,
    `  the process costs ${(own.median - client.median).toFixed(0)} ms`,
    ...judgeGoals(results).map(({ says, isMet }) => `  ${isMet ? 'met   ' : 'MISSED'} ${says}`),
    '  cost as the answer says it:',
    ...sample.cost.map(
      ({ target, footprint }) => `    ${target.padEnd(12)} ${countsText(footprint)}`,
    ),
    ...(spans.length === 0 ? [] : ['  where the time of one sweep goes:']),
    ...spans
      .slice(0, MOST_SPANS)
      .map(
        ({ name, service, startMs, tookMs }) =>
          `    ${tookMs.toFixed(0).padStart(5)} ms from ${startMs.toFixed(0).padStart(5)}  ${name}  (${service})`,
      ),
  ];
}

function line(says: string, { median, min, max, runs }: Spread): string {
  const range = `${min.toFixed(0)}–${max.toFixed(0)}`;
  return `  ${says.padEnd(40)} ${median.toFixed(0).padStart(6)} ms   ${range.padStart(12)}   n ${runs}`;
}

function footprintLines({ sweep, script }: SweepBench['footprint']): string[] {
  const names = [...new Set([...Object.keys(sweep), ...Object.keys(script)])].sort();
  const cell = (counts: NetCounts, name: string) => (counts[name] ?? 0).toFixed(1).padStart(8);
  return [
    `  ${''.padEnd(40)}    sweep   script`,
    ...names.map((name) => `  ${name.padEnd(40)} ${cell(sweep, name)} ${cell(script, name)}`),
  ];
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, amount]) => `${what} ${Number(amount.toFixed(1))}`)
    .join(', ');
}
