/** Where the patients of one lab are, for a person with a shell. */
export interface GuideAddresses {
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  readonly redis: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
  readonly kubeconfig: string;
  /** kubectl keeps there what it learned of the API; a person's is warm. */
  readonly kubeCacheFolder: string;
  readonly namespace: string;
  readonly deployments: readonly string[];
  readonly dependencyUrl: string;
  /** Absent: the lab has no Jaeger. */
  readonly jaegerUrl: string | undefined;
}

export type GuideProgram = 'psql' | 'redis-cli' | 'kubectl' | 'curl';

/** One command of the troubleshooting guide, with the lab's addresses in it. */
export interface GuideCommand {
  /** The diagnostic that it stands for. */
  readonly check: string;
  /** Heading of the guide under which it stands, and its number there. */
  readonly section: string;
  readonly program: GuideProgram;
  readonly args: readonly string[];
  /** What the guide pipes the output into. Absent: nothing. */
  readonly filter?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Checks of a sweep for which the guide has no command that could be run as it stands: they get no rival. */
export const WITHOUT_COMMAND: Readonly<Record<string, string>> = {
  'k8s.rollouts': 'the checklist says to review recent changes and names no command',
  'resilience.breakers': 'a script that is not part of the guide',
  'resilience.pools': 'a script that is not part of the guide',
  'resilience.queues': 'a snippet to run inside the application',
  'traces.latency': 'a script that is not part of the guide',
};

const POOL = 'Database Connection Pool Exhausted';
const CACHE = 'Cache Performance Problems';
const ERRORS = 'High Error Rates';

/**
 * The rival of a sweep: the guide's own commands for the checks that a sweep makes. Each is as the guide prints it, with
 * names and addresses of the lab; a question that the guide asks twice is asked once, and what needs its missing scripts
 * is left out. Both choices favour the rival. It is not tuned after measurements: a command comes or goes with its check.
 */
export function guideCommands(at: GuideAddresses): readonly GuideCommand[] {
  return [...database(at), ...cache(at), ...cluster(at), ...network(at)];
}

function database({ postgres }: GuideAddresses): GuideCommand[] {
  const env = {
    PGHOST: postgres.host,
    PGPORT: String(postgres.port),
    PGUSER: postgres.user,
    PGDATABASE: postgres.database,
  };
  const ask = (check: string, section: string, sql: string): GuideCommand => ({
    check,
    section,
    program: 'psql',
    args: ['-c', sql],
    env,
  });
  return [
    ask(
      'db.connection-use',
      `${POOL} 1`,
      'SELECT count(*) as total, state, application_name FROM pg_stat_activity GROUP BY state, application_name;',
    ),
    ask('db.connection-use', `${POOL} 2`, 'SHOW max_connections;'),
    ask(
      'db.connection-leak',
      `${POOL} 3`,
      `SELECT application_name, client_addr, count(*), max(state_change) as last_activity
       FROM pg_stat_activity GROUP BY application_name, client_addr ORDER BY count(*) DESC;`,
    ),
    ask(
      'db.idle-sessions',
      `${POOL} 4`,
      "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle' AND state_change < now() - interval '10 minutes';",
    ),
    ask(
      'db.long-running-queries',
      'Slow Response Times, Slow Database Queries',
      `SELECT pid, now() - query_start AS duration, query FROM pg_stat_activity
       WHERE state = 'active' AND now() - query_start > interval '5 seconds' ORDER BY duration DESC;`,
    ),
  ];
}

function cache({ redis }: GuideAddresses): GuideCommand[] {
  const login = ['-h', redis.host, '-p', String(redis.port), '--user', redis.user];
  const info = (check: string, section: string, part: string): GuideCommand => ({
    check,
    section,
    program: 'redis-cli',
    args: [...login, 'INFO', part],
    env: { REDISCLI_AUTH: redis.password },
  });
  return [
    info('cache.hit-rate', `${CACHE} 1`, 'stats'),
    info('cache.memory', `${CACHE} 2`, 'memory'),
    info('cache.memory', `${CACHE} 4`, 'clients'),
  ];
}

function cluster({
  kubeconfig,
  kubeCacheFolder,
  namespace,
  deployments,
}: GuideAddresses): GuideCommand[] {
  const kubectl = (
    check: string,
    section: string,
    words: readonly string[],
    filter?: string,
  ): GuideCommand => ({
    check,
    section,
    program: 'kubectl',
    args: [...words, '-n', namespace],
    ...(filter !== undefined && { filter }),
    env: { KUBECONFIG: kubeconfig, KUBECACHEDIR: kubeCacheFolder },
  });
  return [
    kubectl('k8s.pod-status', 'Diagnostic Commands Quick Reference', ['get', 'pods']),
    // the guide pipes it into jq, which a machine need not have
    kubectl('k8s.restarts', 'Memory Leak 2', ['get', 'pods', '-o', 'json']),
    kubectl('k8s.restarts', 'Memory Leak 3', ['get', 'events'], 'grep OOMKilled'),
    ...deployments.flatMap((name) => [
      kubectl(
        'k8s.error-distribution',
        `${ERRORS} 1`,
        ['logs', `deployment/${name}`, '--tail=1000'],
        'grep ERROR | sort | uniq -c | sort -rn',
      ),
      kubectl(
        'k8s.error-distribution',
        `${ERRORS} 2`,
        ['logs', `deployment/${name}`, '--since=10m'],
        'grep ERROR',
      ),
    ]),
  ];
}

function network({ dependencyUrl, jaegerUrl, deployments }: GuideAddresses): GuideCommand[] {
  const curl = (check: string, section: string, args: readonly string[]): GuideCommand => ({
    check,
    section,
    program: 'curl',
    args,
    env: {},
  });
  const [service = ''] = deployments;
  return [
    curl('resilience.dependencies', 'Circuit Breaker Stuck Open, 1', ['-v', dependencyUrl]),
    ...(jaegerUrl === undefined
      ? []
      : [
          curl('traces.error-rate', 'Advanced Debugging, Distributed Tracing', [
            `${jaegerUrl}/api/traces?service=${service}&limit=20`,
          ]),
        ]),
  ];
}
