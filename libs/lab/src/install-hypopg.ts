import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PostgresBinaries } from '@starr/store';
import { installFromApt } from './install-from-apt.ts';

/** Debian's own place, and the only PostgreSQL of bookworm; the npm-packaged ones cannot load its HypoPG. */
const FOLDER = '/usr/lib/postgresql/15';
const EXTENSION = '/usr/share/postgresql/15/extension/hypopg.control';

/** Debian's PostgreSQL 15 with HypoPG beside it, or why there is none: for a test to skip with. */
export type HypopgBinaries =
  | { readonly kind: 'present'; readonly binaries: PostgresBinaries }
  | { readonly kind: 'missing'; readonly why: string };

/** Finds them; as root on Debian it installs them first, and never starts Debian's own cluster. */
export async function installHypopg(onProgress?: (line: string) => void): Promise<HypopgBinaries> {
  const found = await installFromApt({
    program: `${FOLDER}/bin/postgres`,
    with: [EXTENSION],
    packageName: 'postgresql-15-hypopg',
    byHand: 'PostgreSQL 15 of Debian 12 with HypoPG',
    ...(onProgress !== undefined && { onProgress }),
  });
  if (found.kind === 'missing') return found;
  const { stdout } = await promisify(execFile)(found.path, ['--version']);
  // `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; the suffix keeps its template apart from that of the npm package.
  const version = `${/\) (\d+(?:\.\d+)*)/.exec(stdout)?.[1] ?? '15'}-debian`;
  return { kind: 'present', binaries: { folder: FOLDER, version, major: 15 } };
}
