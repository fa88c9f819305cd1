import { defineDiagnostic, durationText, isBlindSpot, optional } from '@starr/kernel';
import { serverEntity } from '../entities.ts';
import { busySessionsRead } from '../reads/busy-sessions.ts';
import { lockWaitsRead } from '../reads/lock-waits.ts';
import {
  findingsFrom,
  longestMs,
  spellsFrom,
  waitersInWords,
  type BadSpell,
} from './busy-spell.ts';

const thresholds = {
  wedgedWarnMs: {
    value: 60_000,
    unit: 'ms',
    says: 'a request of which the rest does not come for so long is a warning; critical when others wait for it',
    source: 'Starr: as a statement that runs; a client sends the rest of its request in one packet',
  },
  wedgedCriticalMs: {
    value: 1_800_000,
    unit: 'ms',
    says: 'a request of which the rest does not come for so long is critical',
    source: 'Starr: as a statement that runs; LanternOps/breeze #6056 found them after 3 days',
  },
} as const;

export const wedgedSessions = defineDiagnostic({
  id: 'db.wedged-sessions',
  title: 'Sessions whose client stopped in the middle of a request',
  explains:
    'Looks for sessions that are active and wait for their client (ClientRead): the first part of a request came, its end did not. They hold their slot, their snapshot and their locks, ' +
    'no time-out of the server ends them, and a cancel does nothing to them. COPY … FROM STDIN, which waits for its client as a rule, is left out. ' +
    'By hand: pg_terminate_backend(pid). client_connection_check_interval (14 and newer) and TCP keepalives notice a client that is gone.',
  replaces: [
    "SELECT pid, now() - state_change AS age, application_name, client_addr FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'ClientRead';",
  ],
  reads: { busy: busySessionsRead, locks: optional(lockWaitsRead) },
  thresholds,
  measures: {
    wedgedSessions: { unit: 'count', says: 'sessions that have been left so for the warning time' },
    longestWedgedMs: {
      unit: 'ms',
      says: 'the longest wait for the rest of a request; 0 when none waits',
    },
  },
  judge: ({ busy, locks }, limits, look) => {
    const wedged = spellsFrom(busy.sessions, locks).filter(({ kind }) => kind === 'wedged');
    const bad = wedged
      .filter(({ ms }) => ms >= limits.wedgedWarnMs)
      .map((spell): BadSpell => ({
        ...spell,
        severity: spell.ms >= limits.wedgedCriticalMs || spell.blocks > 0 ? 'critical' : 'warning',
      }));
    const about = serverEntity(look.target);
    return {
      measured: [
        { name: 'wedgedSessions', about, value: bad.length },
        {
          name: 'longestWedgedMs',
          about,
          value: longestMs(wedged, 'wedged'),
          limit: limits.wedgedWarnMs,
        },
      ],
      findings: findingsFrom(
        bad,
        {
          measures: 'longestWedgedMs',
          limit: limits.wedgedWarnMs,
          says: (who, spells, worst) =>
            `${who} stopped in the middle of a request ${durationText(worst.ms)} ago${waitersInWords(spells)}; ` +
            'a cancel does nothing, only ending the session does',
        },
        look,
      ),
      blind: [
        ...(isBlindSpot(locks) ? [locks] : []),
        ...(busy.truncated === undefined ? [] : [busy.truncated]),
      ],
    };
  },
});
