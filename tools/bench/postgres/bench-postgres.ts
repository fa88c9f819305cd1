import { createDoctor } from '@starr/doctor-host';
import { isBlindSpot } from '@starr/kernel';
import { openSession, startPostgres, type LabPostgres, type LabSession } from '@starr/lab';
import { createPostgresAdapter, postgresCatalog, seeLockForest } from '@starr/postgres';
import { race } from '../race.ts';
import { spreadOf, type Spread } from '../statistics.ts';
import { longestBlock, type LongestBlock } from './longest-block.ts';
import { startQueue, untilAlone, type QueueKind } from './lock-queue.ts';
import { JOIN_OVER_LOCKS, RECURSIVE_TREE, RIVAL_TIMEOUT_MS } from './lock-rivals.ts';

const WAITERS = 400;
const WARM_UP = 5;
const TRIAGE_SESSIONS = 80;
/** What is asked first at night: who is there, what are they at, who waits for whom. */
const TRIAGE = [
  'db.connection-use',
  'db.connection-limits',
  'db.idle-sessions',
  'db.idle-in-transaction',
  'db.wedged-sessions',
  'db.long-running-queries',
  'db.lock-waits',
];
const never = () => new AbortController().signal;

export type LockEntrant = 'forest' | 'join' | 'recursive';

export interface PostgresBench {
  readonly queues: Readonly<Record<QueueKind, Readonly<Record<LockEntrant, Spread>>>>;
  /** Server time of the triage checks, as the server counts it, at TRIAGE_SESSIONS sessions. */
  readonly triageServerMs: Spread;
  /** All checks of the catalog, with history, while WAITERS sessions wait for a table. */
  readonly sweepBesideQueue: Spread;
  /** Of recorded rows of a very bad night. */
  readonly longestBlock: LongestBlock;
}

/** One PostgreSQL with nothing else on it. */
export async function benchPostgres(
  rounds: number,
  say: (says: string) => void,
): Promise<PostgresBench> {
  await using server = await startPostgres({
    maxConnections: WAITERS + 30,
    statStatements: true,
  });
  await server.query(
    `CREATE ROLE looker LOGIN; GRANT pg_monitor TO looker;
     CREATE TABLE queue (id int PRIMARY KEY, v int); INSERT INTO queue VALUES (1, 0)`,
  );
  say(`${WAITERS} sessions wait for a table`);
  const table = await benchQueue(server, 'table', rounds);
  say(`${WAITERS} sessions wait for a row`);
  const row = await benchQueue(server, 'row', rounds);
  say(`triage beside ${TRIAGE_SESSIONS} sessions`);
  const triageServerMs = await benchTriage(server, rounds);
  say(`all checks while ${WAITERS} sessions wait`);
  const sweepBesideQueue = await benchSweepBesideQueue(server, rounds);
  for (let round = 0; round < WARM_UP; round += 1) longestBlock();
  return {
    queues: { table, row },
    triageServerMs,
    sweepBesideQueue,
    longestBlock: longestBlock(),
  };
}

async function benchQueue(
  server: LabPostgres,
  kind: QueueKind,
  rounds: number,
): Promise<Readonly<Record<LockEntrant, Spread>>> {
  const adapter = adapterOf(server);
  const rival = await openSession(server, { user: 'looker', applicationName: 'rival' });
  await rival.query(`SET statement_timeout = ${RIVAL_TIMEOUT_MS}`);
  try {
    await using _ = await startQueue(server, kind, WAITERS);
    return await race<LockEntrant>(
      {
        forest: () => timed(() => seeWhole(adapter)),
        join: () => timed(() => ask(rival, JOIN_OVER_LOCKS)),
        recursive: () => timed(() => ask(rival, RECURSIVE_TREE)),
      },
      rounds,
    );
  } finally {
    await rival.end();
    await adapter.close();
    await untilAlone(server);
  }
}

async function seeWhole(adapter: ReturnType<typeof adapterOf>): Promise<void> {
  const seen = await seeLockForest(adapter, 'bench', never());
  if (isBlindSpot(seen)) throw new Error(seen.detail);
  const waiting = seen.forest.nodes.filter(({ blockedBy }) => blockedBy.length > 0).length;
  if (waiting !== WAITERS) throw new Error(`${waiting} of ${WAITERS} waiters were seen`);
}

/** A rival that is ended by its timeout has taken that long. */
async function ask(session: LabSession, sql: string): Promise<void> {
  await session.query(sql).catch(() => undefined);
}

async function benchTriage(server: LabPostgres, rounds: number): Promise<Spread> {
  const doctor = doctorOf(server);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => doctor.close());
  const sessions = await Promise.all(
    Array.from({ length: TRIAGE_SESSIONS }, () => openSession(server, { applicationName: 'idle' })),
  );
  for (const session of sessions) {
    stack.use(session);
    await session.query('SELECT 1');
  }
  const samples: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const { serverMs } = await examine(doctor, TRIAGE);
    if (round > 0) samples.push(serverMs); // the first takes both samples, and finds cold caches
  }
  await stack.disposeAsync();
  await untilAlone(server);
  return spreadOf(samples);
}

async function benchSweepBesideQueue(server: LabPostgres, rounds: number): Promise<Spread> {
  const doctor = doctorOf(server);
  try {
    await examine(doctor);
    await using _ = await startQueue(server, 'table', WAITERS);
    const samples: number[] = [];
    for (let round = 0; round < rounds; round += 1) samples.push((await examine(doctor)).tookMs);
    return spreadOf(samples);
  } finally {
    await doctor.close();
    await untilAlone(server);
  }
}

/** Whole answers only: a check that was late would be quick. */
async function examine(
  doctor: ReturnType<typeof doctorOf>,
  diagnostics?: readonly string[],
): Promise<{ readonly serverMs: number; readonly tookMs: number }> {
  const startedAtMs = performance.now();
  let serverMs = 0;
  const request = { windowMs: 600_000, budgetMs: 5000, ...(diagnostics && { diagnostics }) };
  for await (const { diagnostic, verdict, footprint } of doctor.examine(request, never())) {
    serverMs += footprint['serverMs'] ?? 0;
    const late = verdict.blind?.find(({ why }) => why === 'timeout');
    if (late !== undefined) throw new Error(`${diagnostic}: ${late.detail}`);
  }
  return { serverMs, tookMs: performance.now() - startedAtMs };
}

function doctorOf(server: LabPostgres) {
  return createDoctor({
    name: 'bench-doctor',
    catalog: postgresCatalog,
    targets: [{ name: 'bench', kind: 'postgres', adapter: adapterOf(server), acts: false }],
    sampler: 'off',
  });
}

function adapterOf({ host, port }: LabPostgres) {
  return createPostgresAdapter({ host, port, diagnosing: { user: 'looker' } });
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await run();
  return performance.now() - startedAtMs;
}
