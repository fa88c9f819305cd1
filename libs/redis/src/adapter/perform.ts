import { DoctorError } from '@starr/kernel';
import { numberFrom, parseInfo } from '../reads/parse-info.ts';
import type { RedisRequest } from '../request.ts';
import { one } from './one.ts';
import { lookingRights } from './rights.ts';
import type { RedisAnswer, RedisConnection } from './connect.ts';
import type { Deadline } from './deadline.ts';

/** INFO and CLIENT LIST as they come. Never a command that reads a key or counts as a lookup. */
export async function perform(
  request: Exclude<RedisRequest, { kind: 'acting-rights' }>,
  connection: RedisConnection,
  deadline: Deadline,
  maxRows: number,
): Promise<unknown> {
  switch (request.kind) {
    case 'info':
      return one(connection, ['INFO'], deadline);
    case 'clients':
      return clients(connection, deadline, maxRows);
    case 'looking-rights':
      return lookingRights(connection, deadline);
  }
}

/** CLIENT LIST cannot be bounded, and holds the server up while it is written: its size is asked first. */
async function clients(
  connection: RedisConnection,
  deadline: Deadline,
  maxRows: number,
): Promise<unknown> {
  const info = await one(connection, ['INFO', 'clients'], deadline);
  const connected = parseInfo(String(info)).count('connected_clients');
  if (connected !== undefined && connected > maxRows)
    throw new DoctorError('EVIDENCE_TRUNCATED', {
      message: `${connected} clients are connected, more than the ${maxRows} that one look may list`,
    });
  return one(connection, ['CLIENT', 'LIST', 'TYPE', 'normal'], deadline);
}

/** The server's clock: TIME, else INFO's own stamp. */
export function clockFrom(
  time: RedisAnswer | undefined,
  info: RedisAnswer | undefined,
): Date | undefined {
  if (time?.ok === true && Array.isArray(time.reply)) {
    const [seconds, micros] = time.reply.map((part) => numberFrom(String(part)));
    if (seconds !== undefined && micros !== undefined)
      return new Date(seconds * 1000 + Math.floor(micros / 1000));
  }
  if (info?.ok !== true) return undefined;
  const micros = parseInfo(String(info.reply)).count('server_time_usec');
  return micros === undefined ? undefined : new Date(Math.floor(micros / 1000));
}
