import {
  buildGoTools,
  installPostgres,
  installRedis,
  type BuildProgress,
  type GoToolset,
} from '@starr/lab';
import type { Narrator } from './narrator.ts';
import type { Part } from './options.ts';

/** What is compiled while the first act plays. */
export interface SecondActTools {
  /** Resolves to what is left out, with its reason; never rejects. */
  readonly ready: Promise<readonly { readonly part: Part; readonly why: string }[]>;
}

/** What the first act needs. Absent: it can be played. */
export async function prepareActOne(narrator: Narrator): Promise<string | undefined> {
  narrator.setup('installing PostgreSQL and Redis');
  await installPostgres(18);
  const redis = await installRedis();
  narrator.setup('PostgreSQL and Redis are there\n');
  return redis.kind === 'missing' ? redis.why : undefined;
}

/** Begins to compile at once, at the lowest priority, so that the first act is not held up. */
export function prepareActTwo(
  narrator: Narrator,
  without: ReadonlySet<Part>,
  signal: AbortSignal,
): SecondActTools {
  const parts = (['kubernetes', 'jaeger'] as const).filter((part) => !without.has(part));
  const build = async (part: Part) => {
    const built = await buildGoTools(part satisfies GoToolset, {
      onProgress: progress(narrator),
      signal,
    });
    return built.kind === 'missing' ? [{ part, why: built.why }] : [];
  };
  const all = parts.map((part) =>
    build(part).catch((error: unknown) => [
      { part, why: error instanceof Error ? error.message : String(error) },
    ]),
  );
  return { ready: Promise.all(all).then((missing) => missing.flat()) };
}

const EVERY_MS = process.stderr.isTTY ? 1000 : 20_000;

function progress(narrator: Narrator): (progress: BuildProgress) => void {
  let shownAtMs = 0;
  return ({ toolset, step, done, total, elapsedMs }) => {
    if (elapsedMs - shownAtMs < EVERY_MS) return;
    shownAtMs = elapsedMs;
    narrator.setup(
      `${toolset}: ${step} ${total > 0 ? `${done} of ${total}` : done}, for the second act`,
    );
  };
}
