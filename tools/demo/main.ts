import type { ClusterStage, Stage } from '@starr/lab';
import { playActOne, type ActResult } from './act-one.ts';
import { playActTwo } from './act-two.ts';
import { createNarrator } from './narrator.ts';
import { parseDemoArgs, type DemoOptions } from './options.ts';
import { prepareActOne, prepareActTwo } from './prepare.ts';

const options = parseDemoArgs(process.argv.slice(2));
if ('fault' in options) {
  process.stderr.write(`${options.fault}\n`);
  process.exitCode = 3;
} else {
  process.exitCode = await play(options);
}

/** 0 only when in every act that was played the truth was named first and the effect was established. */
async function play({ quick, without }: DemoOptions): Promise<number> {
  const narrator = createNarrator();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      stop.abort();
    });
  const impossible = await prepareActOne(narrator);
  if (impossible !== undefined) {
    narrator.step(`left out: everything; ${impossible}`);
    return 1;
  }
  const tools = quick ? undefined : prepareActTwo(narrator, without, stop.signal);
  const stages: (Stage | ClusterStage)[] = [];
  const leave = (stage: Stage | ClusterStage) => void stages.push(stage);
  const results: ActResult[] = [];
  try {
    results.push(await playActOne(narrator, leave));
    const isLast = tools === undefined || without.has('kubernetes');
    const missing = (await tools?.ready) ?? [];
    for (const { part, why } of missing) narrator.step(`left out: ${part}; ${why}`);
    if (!isLast && !missing.some(({ part }) => part === 'kubernetes') && !stop.signal.aborted) {
      await stages.pop()?.stop();
      results.push(
        await playActTwo(
          narrator,
          new Set([...without, ...missing.map(({ part }) => part)]),
          leave,
        ),
      );
    }
    await stayUp(stages, narrator, stop.signal);
  } finally {
    stop.abort();
    await Promise.all(stages.map((stage) => stage.stop()));
  }
  const good = results.every(({ named, established }) => named && established);
  narrator.step(
    good
      ? 'in every act the truth was named first and the effect established'
      : 'not every act went as it should',
  );
  return good ? 0 : 1;
}

/** On a terminal people can look around until Ctrl-C. */
async function stayUp(
  stages: readonly (Stage | ClusterStage)[],
  narrator: ReturnType<typeof createNarrator>,
  signal: AbortSignal,
): Promise<void> {
  const stage = stages.at(-1);
  if (!stage || !process.stdin.isTTY || !process.stdout.isTTY || signal.aborted) return;
  narrator.step(
    `everything stays up until Ctrl-C; look around: npm run starr -- --config ${stage.backstage.configPath} sweep`,
  );
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}
