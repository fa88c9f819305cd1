import {
  defineDiagnostic,
  windowed,
  type Change,
  type Finding,
  type Look,
  type Measurement,
  type Pair,
} from '@starr/kernel';
import { serverEntity } from '../entities.ts';
import { settingsRead, type Setting, type Settings } from '../reads/settings.ts';

/** A start loads the configuration too: what follows so soon is no change. */
const START_MS = 10_000;
const MOST_CHANGES = 20;

const thresholds = {
  settingsAtFault: {
    value: 1,
    unit: 'count',
    says: 'settings that harm by themselves and that are a finding',
    source: 'PostgreSQL documentation, runtime-config-autovacuum and runtime-config-client',
  },
} as const;

export const settings = defineDiagnostic({
  id: 'db.settings',
  title: 'Settings that matter tonight, and what changed of them',
  explains:
    'Reads the settings of the server, its databases and roles, and tells changes with their moment as far as the server knows it: a start, a load of the configuration, what differs from the sample before, and ' +
    'settings of roles and databases where track_commit_timestamp is on. A finding is only what harms by itself: autovacuum or its counters off, all transactions read-only. ' +
    'By hand: ALTER SYSTEM SET and SELECT pg_reload_conf(); what waits for a restart says so.',
  replaces: [
    "SELECT name, setting, unit, source, pending_restart FROM pg_settings WHERE source <> 'default';",
    'SELECT pg_postmaster_start_time(), pg_conf_load_time();',
    'SELECT setrole::regrole, setdatabase, setconfig FROM pg_db_role_setting;',
  ],
  reads: { settings: windowed(settingsRead) },
  thresholds,
  measures: {
    settingsAtFault: { unit: 'count', says: 'settings that harm by themselves' },
    pendingRestart: { unit: 'count', says: 'settings whose new value waits for a restart' },
    settingsChanged: { unit: 'count', says: 'settings that differ between two samples' },
    uptimeMs: { unit: 'ms', says: 'since the server was started' },
  },
  judge: ({ settings: pair }, limits, look) => {
    const faults = faultsIn(pair.after, look);
    const changed = differences(pair);
    return {
      measured: measurementsOf(pair.after, faults.length, changed.length, look),
      findings: faults.length >= limits.settingsAtFault ? faults : [],
      changes: [
        ...changed.map((change) => changeFrom(change, pair, look)),
        ...momentsOf(pair.after, changed.length > 0, look),
        ...datedOwn(pair.after, changed, look),
      ].slice(0, MOST_CHANGES),
    };
  },
});

function measurementsOf(
  { settings: all, startedAt }: Settings,
  faults: number,
  changed: number,
  look: Look,
): Measurement[] {
  const about = serverEntity(look.target);
  return [
    { name: 'settingsAtFault', about, value: faults },
    {
      name: 'pendingRestart',
      about,
      value: all.filter(({ pendingRestart }) => pendingRestart).length,
    },
    { name: 'settingsChanged', about, value: changed },
    {
      name: 'uptimeMs',
      about,
      value: Math.max(0, look.now.getTime() - startedAt.getTime()),
    },
  ];
}

/** What a role of ours may have set for itself is nobody else's trouble. */
const EVERYBODYS = new Set([
  'configuration file',
  'command line',
  'environment variable',
  'database',
  'default',
]);

const FAULTS: readonly {
  readonly name: string;
  readonly value: string;
  readonly severity: Finding['severity'];
  readonly says: string;
}[] = [
  {
    name: 'autovacuum',
    value: 'off',
    severity: 'warning',
    says: 'autovacuum is off: dead rows pile up and statistics grow stale on every table',
  },
  {
    name: 'track_counts',
    value: 'off',
    severity: 'warning',
    says: 'track_counts is off: autovacuum does not know where to go, and much of what is looked at here is not counted',
  },
  {
    name: 'default_transaction_read_only',
    value: 'on',
    severity: 'critical',
    says: 'default_transaction_read_only is on: whoever does not ask for more cannot write',
  },
];

function faultsIn({ settings: all }: Settings, look: Look): Finding[] {
  const about = serverEntity(look.target);
  return FAULTS.flatMap(({ name, value, severity, says }) => {
    const at = all.find((setting) => setting.name === name);
    if (at?.value !== value || !EVERYBODYS.has(at.source)) return [];
    return [
      {
        severity,
        about,
        says,
        measured: [{ name: 'settingsAtFault', about, value: 1 }],
        rows: [{ setting: name, value: at.value, source: at.source }],
      },
    ];
  });
}

interface Difference {
  /** '' for the server. */
  readonly of: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly pendingRestart: boolean;
}

/** Between two samples; a value that waits for a restart is a difference too. */
function differences({ before, after }: Pair<Settings>): Difference[] {
  const [then, now] = [valuesOf(before), valuesOf(after)];
  const keys = [...new Set([...then.keys(), ...now.keys()])];
  return keys.flatMap((key) => {
    const [was, is] = [then.get(key), now.get(key)];
    if (was?.value === is?.value && was?.pendingRestart === is?.pendingRestart) return [];
    const [of = '', name = ''] = key.split('\n');
    return [
      {
        of,
        name,
        from: was?.value ?? '(not set)',
        to: is?.value ?? '(not set)',
        pendingRestart: is?.pendingRestart ?? false,
      },
    ];
  });
}

type Shown = Pick<Setting, 'value' | 'pendingRestart'>;

function valuesOf({ settings: all, own }: Settings): ReadonlyMap<string, Shown> {
  return new Map<string, Shown>([
    ...all.map((setting): [string, Shown] => [`\n${setting.name}`, setting]),
    ...own.map(({ of, name, value }): [string, Shown] => [
      `${of}\n${name}`,
      { value, pendingRestart: false },
    ]),
  ]);
}

/** The server keeps only the moment of the last load; what a role or database has of its own takes no load. */
function changeFrom(
  { of, name, from, to, pendingRestart }: Difference,
  { after, elapsedMs }: Pair<Settings>,
  look: Look,
): Change {
  const sampledMs = look.now.getTime() - elapsedMs;
  const atMs =
    of === '' && after.loadedAt.getTime() >= sampledMs
      ? after.loadedAt.getTime()
      : look.now.getTime();
  const dated = after.own.find((own) => own.of === of && own.name === name)?.at;
  return {
    about: serverEntity(look.target),
    at: dated ?? new Date(atMs),
    says: `${of === '' ? '' : `${of}: `}${name} ${from} → ${to}${pendingRestart ? ' (waits for a restart)' : ''}`,
    facts: { setting: name, from, to, ...(of !== '' && { of }) },
  };
}

function momentsOf({ startedAt, loadedAt }: Settings, isExplained: boolean, look: Look): Change[] {
  const about = serverEntity(look.target);
  const isRecent = (at: Date) => look.now.getTime() - at.getTime() <= look.windowMs;
  const started = isRecent(startedAt)
    ? [{ about, at: startedAt, says: 'the server was started' }]
    : [];
  const isReload = loadedAt.getTime() - startedAt.getTime() > START_MS;
  if (!isReload || !isRecent(loadedAt) || isExplained) return started;
  return [
    ...started,
    {
      about,
      at: loadedAt,
      says: 'the configuration was loaded again; what changed in it the server does not keep',
    },
  ];
}

/** With track_commit_timestamp the server knows when a role or a database got its settings. */
function datedOwn({ own }: Settings, changed: readonly Difference[], look: Look): Change[] {
  return own.flatMap(({ of, name, value, at }) => {
    if (at === undefined || look.now.getTime() - at.getTime() > look.windowMs) return [];
    if (changed.some((change) => change.of === of && change.name === name)) return [];
    return [
      {
        about: serverEntity(look.target),
        at,
        says: `${of}: ${name} was set to ${value}, or stood beside what was set`,
        facts: { setting: name, to: value, of },
      },
    ];
  });
}
