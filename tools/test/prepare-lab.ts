import {
  buildGoTools,
  installHypopg,
  installPgBouncer,
  installPostgres,
  installRedis,
  type BuildProgress,
  type GoToolset,
} from '@starr/lab';

export interface Missing {
  readonly what: string;
  readonly why: string;
}

const TOOLSETS: readonly GoToolset[] = ['kubernetes', 'jaeger', 'grpcurl', 'kubectl'];

/** Installs or builds what the specs start, once, with progress; what this machine cannot have is returned with its reason. */
export async function prepareLab(): Promise<Missing[]> {
  const missing: Missing[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      missing.push({ what, why: error instanceof Error ? error.message : String(error) });
    }
  };
  await attempt('PostgreSQL 18', () => installPostgres(18));
  await attempt('PostgreSQL 15', () => installPostgres(15));
  for (const [what, install] of [
    ['Redis', installRedis],
    ['PgBouncer', installPgBouncer],
    ['HypoPG', installHypopg],
  ] as const) {
    const binary = await install((line) => process.stderr.write(`lab    ${what}: ${line}\n`));
    if (binary.kind === 'missing') missing.push({ what, why: binary.why });
  }
  for (const toolset of TOOLSETS) {
    const built = await buildGoTools(toolset, { onProgress: progressLine() });
    if (built.kind === 'missing') missing.push({ what: toolset, why: built.why });
  }
  return missing;
}

const EVERY_MS = process.stderr.isTTY ? 500 : 15_000;

function progressLine(): (progress: BuildProgress) => void {
  let shownAtMs = -Infinity;
  return ({ toolset, step, done, total, elapsedMs }) => {
    if (elapsedMs - shownAtMs < EVERY_MS) return;
    shownAtMs = elapsedMs;
    const of = total > 0 ? `${done} of ${total}` : String(done);
    const line = `lab    ${toolset}: ${step} ${of}, ${Math.round(elapsedMs / 1000)} s`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  };
}
