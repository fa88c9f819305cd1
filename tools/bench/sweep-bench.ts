import { loadavg } from 'node:os';
import { startServices, waitUntil, type ClusterStage, type Services } from '@starr/lab';
import type { OrchestratorClient } from '@starr/wire';
import { addressesOf, LEAKING_TAG, PERSON, startBenchStage } from './bench-stage.ts';
import { findClients } from './find-clients.ts';
import { measureBackground, measureFootprint, type NetCounts } from './footprint.ts';
import type { Entrant } from './goals.ts';
import { guideCommands, type GuideCommand } from './guide-commands.ts';
import { createGuideScript, type GuideScript } from './guide-script.ts';
import { patientReader } from './patient-counts.ts';
import { processorMsOf, processorMsOfPids } from './processor-time.ts';
import { race } from './race.ts';
import { runCommand } from './run-command.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { connect, sweepAsClient, sweepAsProcess, sweepLine, type MeasuredSweep } from './sweeps.ts';
import { traceCosts, type SpanCost } from './trace-costs.ts';

export interface SceneResult {
  readonly scene: string;
  readonly results: Readonly<Record<Entrant, Spread>>;
  readonly sample: MeasuredSweep;
  /** Of one sweep, the longest first; empty without Jaeger. */
  readonly spans: readonly SpanCost[];
  readonly loadBefore: number;
  readonly loadAfter: number;
}

export interface SweepBench {
  readonly commands: readonly GuideCommand[];
  /** The first sweep of services that have just started: no history. */
  readonly first: { readonly spread: Spread; readonly withHistory: number };
  /** A Node process that does nothing. */
  readonly emptyProcess: Spread;
  readonly scenes: readonly SceneResult[];
  readonly footprint: { readonly sweep: NetCounts; readonly script: NetCounts };
  /** Of one run, whatever else the machine does. */
  readonly processorMs: {
    readonly command: number;
    readonly services: number;
    readonly script: number;
  };
}

const FIRST_SWEEPS = 3;
const TRAFFIC_PER_SECOND = 10;
const USERS_WITHIN_MS = 60_000;
const HISTORY_WITHIN_MS = 60_000;
const LEAK_WITHIN_MS = 120_000;
const FOOTPRINT_RUNS = 5;
/** Longer than two beats of the doctors' samplers. */
const REST_MS = 35_000;

export async function benchSweep(
  options: { readonly rounds: number; readonly withJaeger: boolean },
  say: (says: string) => void,
): Promise<SweepBench> {
  const paths = await findClients(say);
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await startBenchStage(options.withJaeger, say));
  const script = createGuideScript(guideCommands(await addressesOf(stage)), paths);
  const traffic = await stage.shop.startTraffic({ perSecond: TRAFFIC_PER_SECOND });
  await traffic.untilWell({ windows: 2, withinMs: USERS_WITHIN_MS });
  say('proving the commands of the guide');
  await script.prove();
  const { first, services } = await firstSweeps(stage, say);
  stack.defer(() => services.stop());
  const client = connect(stage.backstage);
  stack.defer(() => {
    client.close();
  });
  const bench = { stage, script, client, rounds: options.rounds, say };
  const healthy = await playScene('all is well', bench);
  say('the footprint, without users');
  await traffic.stop();
  const footprint = await measureBoth(bench);
  const processorMs = await measureProcessor(bench, services);
  await stage.shop.startTraffic({ perSecond: TRAFFIC_PER_SECOND });
  await stage.shop.rollOut({ tag: LEAKING_TAG });
  say('a rollout leaks connections');
  await waitUntil(
    async () => (await sweepAsClient(client)).causes.includes('leak-since-rollout') || undefined,
    { what: 'the leak to be named', withinMs: LEAK_WITHIN_MS },
  );
  const leaking = await playScene('a rollout leaks connections', bench);
  return {
    commands: script.commands,
    first,
    emptyProcess: await emptyProcesses(options.rounds),
    scenes: [healthy, leaking],
    footprint,
    processorMs,
  };
}

interface Bench {
  readonly stage: ClusterStage;
  readonly script: GuideScript;
  readonly client: OrchestratorClient;
  readonly rounds: number;
  readonly say: (says: string) => void;
}

/** The services start anew each time. The last ones stay. */
async function firstSweeps(
  stage: ClusterStage,
  say: (says: string) => void,
): Promise<{ first: SweepBench['first']; services: Services }> {
  const { configPath } = stage.backstage;
  const sweeps: MeasuredSweep[] = [];
  let services = stage.services;
  for (let start = 0; start < FIRST_SWEEPS; start += 1) {
    say(`the first sweep of services that just started, ${start + 1} of ${FIRST_SWEEPS}`);
    await services.stop();
    services = await startServices(configPath);
    sweeps.push(await sweepAsProcess(configPath));
  }
  return {
    services,
    first: {
      spread: spreadOf(sweeps.map(({ tookMs }) => tookMs)),
      withHistory: sweeps.filter(({ hasHistory }) => hasHistory).length,
    },
  };
}

async function playScene(
  scene: string,
  { stage, script, client, rounds, say }: Bench,
): Promise<SceneResult> {
  const { configPath } = stage.backstage;
  await waitUntil(async () => (await sweepAsClient(client)).hasHistory || undefined, {
    what: 'history of every windowed check',
    withinMs: HISTORY_WITHIN_MS,
  });
  say(`${scene}: ${rounds} rounds`);
  const [loadBefore = 0] = loadavg();
  const results = await race(
    {
      process: async () => (await sweepAsProcess(configPath)).tookMs,
      inSequence: () => script.inSequence(),
      client: async () => (await sweepAsClient(client)).tookMs,
      allAtOnce: () => script.allAtOnce(),
    },
    rounds,
  );
  const [loadAfter = 0] = loadavg();
  const sample = await sweepAsProcess(configPath);
  const spans = sample.traceId === undefined ? [] : await traceCosts(client, sample.traceId);
  return { scene, results, sample, spans, loadBefore, loadAfter };
}

async function measureBoth({ stage, script, client }: Bench): Promise<SweepBench['footprint']> {
  const read = patientReader(stage, ['starr', PERSON]);
  const background = await measureBackground(read, REST_MS);
  return {
    sweep: await measureFootprint(read, background, FOOTPRINT_RUNS, () => sweepAsClient(client)),
    script: await measureFootprint(read, background, FOOTPRINT_RUNS, () => script.inSequence()),
  };
}

/** The samplers of the services are in theirs: seconds apart, they weigh little in one sweep's second. */
async function measureProcessor(
  { stage, script, client }: Bench,
  services: Services,
): Promise<SweepBench['processorMs']> {
  const pids = Object.values(await services.pids());
  const before = await processorMsOfPids(pids);
  for (let run = 0; run < FOOTPRINT_RUNS; run += 1) await sweepAsClient(client);
  const after = await processorMsOfPids(pids);
  let typed = 0;
  for (const line of script.lines) typed += await processorMsOf(line);
  return {
    command: await processorMsOf(sweepLine(stage.backstage.configPath)),
    services: (after - before) / FOOTPRINT_RUNS,
    script: typed,
  };
}

async function emptyProcesses(runs: number): Promise<Spread> {
  const tookMs: number[] = [];
  for (let run = 0; run < runs; run += 1)
    tookMs.push((await runCommand({ program: process.execPath, args: ['-e', ''] })).tookMs);
  return spreadOf(tookMs);
}
