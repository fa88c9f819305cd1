import { installFromApt, type AptBinary } from './install-from-apt.ts';

/** The path of redis-server, or why there is none. */
export type RedisBinary = AptBinary;

/** Finds redis-server; as root on Debian or Ubuntu it installs it first. */
export function installRedis(onProgress?: (line: string) => void): Promise<RedisBinary> {
  return installFromApt({
    program: 'redis-server',
    packageName: 'redis-server',
    byHand: 'Redis 7',
    ...(onProgress !== undefined && { onProgress }),
  });
}
