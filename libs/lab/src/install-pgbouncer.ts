import { installFromApt, type AptBinary } from './install-from-apt.ts';

/** Finds pgbouncer; as root on Debian or Ubuntu it installs it first, and never starts Debian's own service. */
export function installPgBouncer(onProgress?: (line: string) => void): Promise<AptBinary> {
  return installFromApt({
    program: 'pgbouncer',
    packageName: 'pgbouncer',
    byHand: 'PgBouncer 1.18 or newer',
    ...(onProgress !== undefined && { onProgress }),
  });
}
