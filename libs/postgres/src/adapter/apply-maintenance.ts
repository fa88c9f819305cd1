import { maskText, type Outcome } from '@starr/kernel';
import type { Client } from 'pg';
import type { MaintenanceAct } from '../acts/maintenance.ts';
import { maintenanceSql, stampOf } from '../maintenance-sql.ts';
import type { ActEvents, LongActContext } from './act-context.ts';
import { answeredWithin } from './answered-within.ts';
import { failed } from './failed.ts';
import {
  dropLeftovers,
  endOfFailure,
  endOfSuccess,
  leftoversOf,
  newNamesOf,
} from './maintenance-end.ts';
import { indexesNow, whyNotNow } from './maintenance-guard.ts';
import { progressOf, type SeenProgress } from './maintenance-progress.ts';
import { pidOf } from './long-session.ts';
import { doctorErrorFromPg, stateOf, textOf } from './pg-error.ts';

const ANSWER_WITHIN_MS = 4000;
const LOOK_EVERY_MS = 500;
/** A statement that was cancelled ends at once, unless the server has stopped. */
const ENDS_WITHIN_MS = 20_000;
/** A drop waits for whoever uses the table, without holding anybody up. */
const CLEAN_UP_WAIT_MS = 60_000;

/** One statement that takes its time, on a session of its own: guarded, watched, and what it leaves on failure cleaned up. */
export async function* applyMaintenance(act: MaintenanceAct, context: LongActContext): ActEvents {
  const own = new OwnSession(act.lockTimeoutMs, context);
  try {
    const begun = await begin(act, own, context);
    if ('outcome' in begun) {
      yield begun;
      return;
    }
    const seen = yield* follow(act, begun, context);
    yield seen === 'silent' ? silence() : await endOf(act, own, context, { ...begun, ...seen });
  } finally {
    own.close();
  }
}

/** The session of one act; opened anew to clean up when it was ended under it. */
class OwnSession {
  readonly #lockTimeoutMs: number;
  readonly #context: LongActContext;
  #client: Client | undefined;

  constructor(lockTimeoutMs: number, context: LongActContext) {
    this.#lockTimeoutMs = lockTimeoutMs;
    this.#context = context;
  }

  async open(): Promise<Client> {
    this.close();
    this.#client = await this.#context.openLong(this.#lockTimeoutMs);
    return this.#client;
  }

  async held(): Promise<Client> {
    return this.#client ?? (await this.open());
  }

  close(): void {
    if (this.#client !== undefined) this.#context.closeLong(this.#client);
    this.#client = undefined;
  }
}

interface Begun {
  readonly pid: number;
  /** What the statement came to; never rejects. */
  readonly end: Promise<Ended>;
  readonly warnings: readonly string[];
  /** Indexes that were there before, by oid, under the names that it may leave behind. */
  readonly before: readonly string[];
}

type Ended = { readonly ok: true } | { readonly ok: false; readonly thrown: unknown };

async function begin(
  act: MaintenanceAct,
  own: OwnSession,
  context: LongActContext,
): Promise<Begun | Outcome> {
  try {
    const client = await own.open();
    const refused = await answeredWithin(whyNotNow(client, act), ANSWER_WITHIN_MS);
    if (refused !== undefined)
      return { kind: 'outcome', outcome: 'refused', says: `nothing was done: ${refused}` };
    const pid = await answeredWithin(pidOf(client), ANSWER_WITHIN_MS);
    const names = act.kind === 'reindex' ? newNamesOf(act.name) : [];
    const before = await answeredWithin(indexesNow(client, act.schema, names), ANSWER_WITHIN_MS);
    if (context.isCancelled()) return failed('nothing was done: it was cancelled');
    const warnings: string[] = [];
    client.on('notice', (notice) => {
      if (notice.severity === 'WARNING') warnings.push(notice.message ?? '');
    });
    const end = client.query(`${stampOf(context.operationId)} ${maintenanceSql(act)}`).then(
      (): Ended => ({ ok: true }),
      (thrown: unknown): Ended => ({ ok: false, thrown }),
    );
    return { pid, end, warnings, before: before.map(({ oid }) => oid) };
  } catch (thrown) {
    const error = doctorErrorFromPg(thrown, context.role);
    return failed(`nothing was done: ${error.rawMessage}`, error.details['cure']);
  }
}

interface Watched {
  /** The last that was seen of it: whom it waited for. */
  readonly last: SeenProgress | undefined;
  readonly stopped: string | undefined;
}

/** Tells what the server shows until the statement ends, and cancels it when it is to stop. */
async function* follow(
  act: MaintenanceAct,
  { pid, end }: Begun,
  context: LongActContext,
): AsyncGenerator<SeenProgress, Watched | 'silent'> {
  const startedAtMs = performance.now();
  let last: SeenProgress | undefined;
  let stop: { readonly why: string; readonly atMs: number } | undefined;
  for (;;) {
    if (await endsWithin(end, LOOK_EVERY_MS)) return { last, stopped: stop?.why };
    const atMs = performance.now();
    const isLate = atMs - startedAtMs > context.limit.timeoutMs;
    if (stop === undefined && (isLate || context.isCancelled())) {
      stop = { why: isLate ? 'its time was up' : 'it was cancelled', atMs };
      await context.cancelLong(pid).catch(() => undefined);
    }
    if (stop !== undefined && atMs - stop.atMs > ENDS_WITHIN_MS) return 'silent';
    const seen = await context
      .look((client) => progressOf(client, act, pid))
      .catch(() => undefined);
    if (seen === undefined || (seen.says === last?.says && seen.ratio === last.ratio)) continue;
    last = seen;
    yield seen;
  }
}

async function endsWithin(end: Promise<Ended>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, ms);
  });
  try {
    return await Promise.race([end.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function silence(): Outcome {
  return {
    kind: 'outcome',
    outcome: 'indeterminate',
    says: 'it was told to stop, and the server does not say that it has',
  };
}

async function endOf(
  act: MaintenanceAct,
  own: OwnSession,
  context: LongActContext,
  watched: Begun & Watched,
): Promise<Outcome> {
  const end = await watched.end;
  try {
    if (end.ok)
      return await answeredWithin(
        endOfSuccess(await own.held(), act, context.operationId, watched.warnings),
        2 * ANSWER_WITHIN_MS,
      );
    const why = whyFailed(end.thrown, act, watched);
    if (why === undefined)
      return {
        kind: 'outcome',
        outcome: 'indeterminate',
        says: `the session was lost in the middle of it: ${doctorErrorFromPg(end.thrown, context.role).rawMessage}`,
      };
    const state = stateOf(end.thrown) ?? '';
    // 42P07: somebody else took the name in the meantime; what is there is theirs.
    if ((act.kind !== 'create-index' && act.kind !== 'reindex') || state === '42P07')
      return failed(`nothing was done: ${why}`);
    const client = state.startsWith(ENDED_UNDER_IT) ? await own.open() : await own.held();
    const ours = await leftoversOf(client, act, watched.before);
    const left = await dropLeftovers(client, act, ours, CLEAN_UP_WAIT_MS);
    return endOfFailure(
      act,
      why,
      left,
      ours.filter((each) => !left.some(({ oid }) => oid === each.oid)),
    );
  } catch (thrown) {
    const error = doctorErrorFromPg(thrown, context.role);
    return {
      kind: 'outcome',
      outcome: 'indeterminate',
      says: `the statement ended, and what it left could not be seen: ${error.rawMessage}`,
    };
  }
}

/** SQLSTATE class of a session that an administrator, or the end of the server, ended. */
const ENDED_UNDER_IT = '57P';

/** In words; undefined: the server did not say how it ended. */
function whyFailed(
  thrown: unknown,
  act: MaintenanceAct,
  { last, stopped }: Watched,
): string | undefined {
  const state = stateOf(thrown);
  // Five characters of SQLSTATE: anything else is our side’s word for a lost session.
  if (state === undefined || !/^[0-9A-Z]{5}$/.test(state) || state.startsWith('E'))
    return undefined;
  if (state === '57014') return stopped ?? 'somebody cancelled it';
  const where = last === undefined ? '' : ` (${last.says})`;
  if (state === '55P03') return `it waited for longer than ${act.lockTimeoutMs} ms${where}`;
  return maskText(textOf(thrown));
}
