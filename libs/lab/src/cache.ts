import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where binaries and templates are kept between runs. As root it lies outside every home folder,
 * because servers run as another user and must reach their own binaries; otherwise it follows
 * `$XDG_CACHE_HOME`. `$STARR_CACHE` moves it. Nothing is created here.
 */
export function cacheDir(): string {
  const chosen = process.env['STARR_CACHE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  if (process.getuid?.() === 0) return '/var/cache/starr';
  const xdg = process.env['XDG_CACHE_HOME'];
  return join(xdg === undefined || xdg === '' ? join(homedir(), '.cache') : xdg, 'starr');
}
