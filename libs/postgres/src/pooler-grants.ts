import { isBlindSpot, type BlindSpot, type GrantsAdvice } from '@starr/kernel';
import type { PoolerRights } from './reads/pooler-rights.ts';

const SUGGESTED_ACTING_USER = 'starr_act';

type Advice = Omit<GrantsAdvice, 'language'>;

/**
 * What belongs into the files of each PgBouncer, as comments of SQL, so that the whole can still be piped into psql. No
 * password is known here: `***` stands for it.
 */
export function poolerGrants(poolers: readonly PoolerRights[] | BlindSpot): Advice {
  const all = isBlindSpot(poolers) ? [] : poolers.map(adviceFor);
  return {
    diagnosing: all.flatMap(({ diagnosing }) => diagnosing),
    acting: all.flatMap(({ acting }) => acting),
    lacking: all.flatMap(({ lacking }) => lacking),
  };
}

function adviceFor({ name, place, server, looks, acts, lets }: PoolerRights): Advice {
  const note = (text: string) => `-- pooler ${name}: ${text}`.replaceAll(/[\r\n]+/g, ' ');
  const known = isBlindSpot(lets) ? { stats: [], admins: [] } : lets;
  const users = (setting: string, there: readonly string[], user: string) =>
    note(
      `pgbouncer.ini, [pgbouncer]: ${setting} = ${[...new Set([...there, user])].join(', ')}` +
        (isBlindSpot(lets) ? ' (beside those that stand there)' : ''),
    );
  const password = (user: string) =>
    note(`auth_file: ${authName(user)} "***" (*** is its password, or the SCRAM secret of it)`);
  const looking = [users('stats_users', known.stats, looks), password(looks)];
  const actor = acts ?? SUGGESTED_ACTING_USER;
  const acting = [users('admin_users', known.admins, actor), password(actor)];
  const isThrough = server.host === place.host && server.port === place.port;
  const databases = note(
    `pgbouncer.ini, [databases]: * = host=${server.host} port=${server.port}, or a line for each database: what leads elsewhere is not counted for this server`,
  );
  return {
    diagnosing: [...looking, ...(isThrough ? [] : [databases])],
    acting,
    lacking: lackingOf({ looks, acts, lets }, { note, looking, acting }),
  };
}

function lackingOf(
  { looks, acts, lets }: Pick<PoolerRights, 'looks' | 'acts' | 'lets'>,
  lines: {
    note(text: string): string;
    readonly looking: readonly string[];
    readonly acting: readonly string[];
  },
): string[] {
  const reload = lines.note('then RELOAD; on its console');
  if (isBlindSpot(lets)) {
    return lets.why === 'denied'
      ? [...lines.looking, reload]
      : [lines.note(`what it lacks cannot be seen: ${lets.detail}`)];
  }
  const takeAway =
    acts !== looks && lets.admins.includes(looks)
      ? [lines.note(`take ${looks} out of admin_users: stats_users is enough to look`)]
      : [];
  const missing = acts === undefined || lets.admins.includes(acts) ? [] : lines.acting;
  const all = [...takeAway, ...missing];
  return all.length === 0 ? [] : [...all, reload];
}

function authName(user: string): string {
  return `"${user.replaceAll('"', '""')}"`;
}
