import { DoctorError } from '@starr/kernel';
import { createAcceptedStates, type AcceptedStates } from './accepted-states.ts';
import { createAudit, type Audit } from './audit.ts';
import {
  CALL_TIMEOUT_MS,
  createDatabase,
  type Database,
  type DatabaseOptions,
  type Query,
} from './database.ts';
import { createIncidents, type Incidents } from './incidents.ts';
import { createJournal, type Journal } from './journal.ts';
import { createLeases, type Leases } from './leases.ts';
import { migrateDatabase } from './migrate.ts';
import { createPlans, type Plans } from './plans.ts';
import { createSweeps, type Sweeps } from './sweeps.ts';

/**
 * The orchestrator's memory, on PostgreSQL. Opening it does not connect: the first call does, and migrates.
 * Every call ends within its bound (default 1 s). A store that is away fails with STORE_UNAVAILABLE.
 */
export interface Store extends AsyncDisposable {
  readonly sweeps: Sweeps;
  readonly incidents: Incidents;
  readonly plans: Plans;
  readonly journal: Journal;
  readonly leases: Leases;
  readonly audit: Audit;
  readonly accepted: AcceptedStates;
  /** Answers when the store can be used; else fails with why. */
  ping(): Promise<void>;
  /** Which server it is, whatever name leads there: equal for two databases of one server. */
  systemIdentifier(): Promise<string>;
  close(): Promise<void>;
}

export type StoreOptions = DatabaseOptions;

export function openStore(options: StoreOptions): Store {
  const bare = createDatabase(options);
  const database = migratedFirst(bare, options.callTimeoutMs ?? CALL_TIMEOUT_MS);
  const close = (): Promise<void> => bare.close();
  return {
    sweeps: createSweeps(database),
    incidents: createIncidents(database),
    plans: createPlans(database),
    journal: createJournal(database),
    leases: createLeases(database),
    audit: createAudit(database),
    accepted: createAcceptedStates(database),
    ping: () =>
      database.call(async (query) => {
        await query('SELECT 1');
      }),
    systemIdentifier: () => bare.call(systemIdentifier),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function systemIdentifier(query: Query): Promise<string> {
  const [row] = await query<{ id: string }>(
    'SELECT system_identifier::text AS id FROM pg_control_system()',
  );
  return row?.id ?? '';
}

/** Migrates once before the first call; after a failure the next call tries again. Waiting for it counts as part of the call. */
function migratedFirst(database: Database, callTimeoutMs: number): Database {
  let migrated: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    migrated ??= migrateDatabase(database).catch((thrown: unknown) => {
      migrated = undefined;
      throw thrown;
    });
    return migrated;
  };
  const first = async <T>(timeoutMs: number, then: (leftMs: number) => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    await within(ready(), timeoutMs);
    return then(Math.max(1, timeoutMs - (performance.now() - startedMs)));
  };
  return {
    call: (work, timeoutMs = callTimeoutMs) =>
      first(timeoutMs, (leftMs) => database.call(work, leftMs)),
    transaction: (work, timeoutMs = callTimeoutMs) =>
      first(timeoutMs, (leftMs) => database.transaction(work, leftMs)),
    close: () => database.close(),
  };
}

async function within(migrating: Promise<void>, timeoutMs: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      new DoctorError('STORE_UNAVAILABLE', {
        message: `The store was not ready within ${timeoutMs} ms.`,
      }),
    );
  }, timeoutMs);
  try {
    await Promise.race([migrating, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
