import type { ClusterStage, KubeApi } from '@starr/lab';

/** What a patient has been asked for since it started, by name. */
export type Counts = Readonly<Record<string, number>>;

/** A log is read as CONNECT. */
const API_LOOKS = new Set(['GET', 'LIST', 'CONNECT']);
/** Of the control plane with itself, many a second. */
const API_NOISE = new Set(['leases']);
const READ_WITHIN_MS = 10_000;

/** Reads all patients of a stage in their own words, whoever asked them; roles are those of PostgreSQL. */
export function patientReader(
  stage: ClusterStage,
  roles: readonly string[],
): () => Promise<Counts> {
  const api = stage.kubernetes.api();
  return async () => {
    const [postgres, redis, requests] = await Promise.all([
      postgresCounts(stage, roles),
      stage.redis.command('INFO', 'commandstats'),
      apiCounts(api),
    ]);
    return { ...postgres, ...parseCommandStats(String(redis)), ...requests };
  };
}

async function postgresCounts(
  { postgres }: ClusterStage,
  roles: readonly string[],
): Promise<Counts> {
  const rows = await postgres.query(
    `SELECT rolname, sum(calls)::float AS calls, sum(total_exec_time)::float AS ms
     FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE rolname = ANY($1) GROUP BY 1`,
    [roles],
  );
  const counts: Record<string, number> = {};
  for (const { rolname, calls, ms } of rows) {
    counts[`postgres statements of ${String(rolname)}`] = Number(calls);
    counts[`postgres ms of ${String(rolname)}`] = Number(ms);
  }
  return counts;
}

async function apiCounts(api: KubeApi): Promise<Counts> {
  const lines: string[] = [];
  const signal = AbortSignal.timeout(READ_WITHIN_MS);
  for await (const line of api.lines('/metrics', signal)) lines.push(line);
  return parseApiRequests(lines);
}

/** `cmdstat_info:calls=3,usec=9,…` */
export function parseCommandStats(text: string): Counts {
  const counts: Record<string, number> = {};
  for (const [, command = '', calls] of text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    counts[`redis ${command.toUpperCase().replace('|', ' ')}`] = Number(calls);
  }
  return counts;
}

/** `apiserver_request_total{code="200",resource="pods",subresource="log",verb="GET",…} 4`: looks alone, by verb and resource. */
export function parseApiRequests(lines: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const match = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line);
    if (!match) continue;
    const labels = labelsOf(match[1] ?? '');
    const { verb = '', resource = '', subresource = '' } = labels;
    if (!API_LOOKS.has(verb) || API_NOISE.has(resource)) continue;
    const what = [resource, subresource].filter((part) => part !== '').join('/');
    const name = `api ${verb} ${what}`;
    counts[name] = (counts[name] ?? 0) + Number(match[2]);
  }
  return counts;
}

function labelsOf(text: string): Partial<Record<'verb' | 'resource' | 'subresource', string>> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  ) as Partial<Record<'verb' | 'resource' | 'subresource', string>>;
}
