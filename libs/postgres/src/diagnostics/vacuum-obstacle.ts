import { durationText, type Entity, type Look } from '@starr/kernel';
import { applicationEntity, backendEntity } from '../entities.ts';
import { holdsTables, type Horizon, type HorizonHolder } from '../reads/horizon.ts';
import type { Tables, TableStats } from '../reads/tables.ts';
import type { Vacuums } from '../reads/vacuums.ts';

/** What holds the horizon for less is a query, not an obstacle. */
const OBSTACLE_MS = 60_000;

/** A table with dead rows, and all that may explain them. */
export interface NotCleaned {
  readonly table: TableStats;
  readonly tables: Tables;
  readonly vacuums: Vacuums;
  readonly horizon: Horizon;
}

/** The oldest that holds the horizon for long, if any: a vacuum that came could not clean. */
export function obstacleOf({ holders }: Horizon, database: string): HorizonHolder | undefined {
  return holders.find(
    // A slot of which nobody knows since when holds until somebody reads it.
    (holder) => (holder.heldMs ?? OBSTACLE_MS) >= OBSTACLE_MS && holdsTables(holder, database),
  );
}

/** Why nobody cleans a table. */
export interface VacuumObstacle {
  readonly says: string;
  /** When it began to stand in the way; absent: not known. */
  readonly since?: Date;
  readonly involves: readonly Entity[];
}

/** What stands in the way, the most certain first. */
export function vacuumObstacle(
  { table, tables, vacuums, horizon }: NotCleaned,
  look: Look,
): VacuumObstacle {
  const holder = obstacleOf(horizon, tables.database);
  if (holder !== undefined) return { ...heldBy(holder, look), ...sinceOf(holder, look) };
  const running = vacuums.running.find(({ tableOid }) => tableOid === table.oid);
  if (running !== undefined) {
    return plain(
      `a vacuum of it (pid ${running.pid}) runs for ${durationText(running.runsMs)} and is at ${Math.round(running.ratio * 100)} % (${running.phase})`,
    );
  }
  const locker = vacuums.lockers.find(({ tableOid }) => tableOid === table.oid);
  if (locker !== undefined) {
    const by = applicationEntity(look.target, locker.application);
    return {
      says: `pid ${locker.pid} of ${by.name} holds ${locker.mode} on it for ${durationText(locker.heldMs)}, and autovacuum does not wait`,
      involves: [by],
    };
  }
  if (!tables.autovacuums) return plain('autovacuum is off on this server');
  if (!table.autovacuums) return plain('autovacuum is off for this table');
  if (vacuums.maxWorkers > 0 && vacuums.workers >= vacuums.maxWorkers) {
    return plain(`all ${vacuums.maxWorkers} autovacuum workers are busy`);
  }
  return plain('autovacuum has not come');
}

function sinceOf({ heldMs }: HorizonHolder, look: Look): { since?: Date } {
  return heldMs === undefined ? {} : { since: new Date(look.now.getTime() - heldMs) };
}

function plain(says: string): VacuumObstacle {
  return { says, involves: [] };
}

function heldBy(holder: HorizonHolder, { target }: Look): VacuumObstacle {
  const long = holder.heldMs === undefined ? '' : ` for ${durationText(holder.heldMs)}`;
  switch (holder.kind) {
    case 'session':
    case 'standby': {
      const application = applicationEntity(target, holder.name);
      return {
        says: `vacuum cannot clean behind ${application.name} (pid ${holder.pid}, ${holder.state})${long}`,
        involves: [application, backendEntity(target, holder.pid, holder.backendStart)],
      };
    }
    case 'slot':
      return plain(
        `vacuum cannot clean behind the ${holder.state} replication slot ${holder.name}`,
      );
    case 'prepared':
      return plain(`vacuum cannot clean behind the prepared transaction ${holder.name}${long}`);
  }
}
