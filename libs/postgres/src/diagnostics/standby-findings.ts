import { durationText, type Finding, type Look, type Pair } from '@starr/kernel';
import { applicationEntity, clientEntity, serverEntity } from '../entities.ts';
import type { Replication, Standby } from '../reads/replication.ts';
import { bytesText } from './bytes-text.ts';

export interface StandbyLimits {
  readonly lagWarnBytes: number;
  readonly lagCriticalBytes: number;
  readonly lagWarnMs: number;
}

/** Those that lag, this server if it is one, and those that commits wait for in vain. */
export function standbyFindings(
  pair: Pair<Replication>,
  limits: StandbyLimits,
  look: Look,
): Finding[] {
  return [
    ...pair.after.standbys.flatMap((standby) => standbyFinding(standby, limits, look)),
    ...selfFinding(pair.after, limits, look),
    ...lonelyFinding(pair, look),
  ];
}

function standbyFinding(standby: Standby, limits: StandbyLimits, look: Look): Finding[] {
  const { application, address, lagBytes, lagMs, state, sync } = standby;
  const isCritical = lagBytes >= limits.lagCriticalBytes;
  // Bytes alone are a bulk load, time alone is an idle primary.
  if (!isCritical && (lagBytes < limits.lagWarnBytes || lagMs < limits.lagWarnMs)) return [];
  const about = applicationEntity(look.target, application);
  return [
    {
      severity: isCritical ? 'critical' : 'warning',
      about,
      says: `the standby ${about.name} has not replayed ${bytesText(lagBytes)} of WAL, ${durationText(lagMs)} behind${sync === 'sync' || sync === 'quorum' ? '; commits wait for it' : ''}`,
      measured: [
        { name: 'lagBytes', about, value: lagBytes, limit: limits.lagWarnBytes },
        { name: 'replayLagMs', about, value: lagMs, limit: limits.lagWarnMs },
      ],
      rows: [
        {
          application,
          ...(address !== undefined && { address }),
          state,
          sync,
          lagBytes,
          lag: { durationMs: lagMs },
        },
      ],
      involves: [clientEntity(look.target, application, address)],
    },
  ];
}

function selfFinding(
  { isStandby, replayLagMs }: Replication,
  limits: StandbyLimits,
  look: Look,
): Finding[] {
  if (!isStandby || replayLagMs < limits.lagWarnMs) return [];
  const about = serverEntity(look.target);
  return [
    {
      severity: 'warning',
      about,
      says: `this server is a standby and ${durationText(replayLagMs)} behind what it has received`,
      measured: [{ name: 'replayLagMs', about, value: replayLagMs, limit: limits.lagWarnMs }],
    },
  ];
}

/** No commit ends, nobody is told why, and pg_stat_activity shows only a wait for SyncRep. In both samples: a standby may come back. */
function lonelyFinding({ before, after }: Pair<Replication>, look: Look): Finding[] {
  const isLonely = ({ commitsWaitFor, standbys }: Replication) =>
    commitsWaitFor !== '' && !standbys.some(({ sync }) => sync === 'sync' || sync === 'quorum');
  if (!isLonely(before) || !isLonely(after)) return [];
  const about = serverEntity(look.target);
  return [
    {
      severity: 'critical',
      about,
      says: `commits wait for a synchronous standby (${after.commitsWaitFor}), and none is connected`,
      measured: [{ name: 'synchronousStandbys', about, value: 0, limit: 1 }],
      rows: [{ setting: 'synchronous_standby_names', value: after.commitsWaitFor }],
    },
  ];
}
