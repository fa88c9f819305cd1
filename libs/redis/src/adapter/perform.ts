import { DoctorError } from '@starr/kernel';
import { numberFrom, parseInfo } from '../reads/parse-info.ts';
import type { RedisAccess, RedisRequest } from '../request.ts';
import { commandName } from './command-name.ts';
import type { RedisAnswer, RedisConnection } from './connect.ts';
import type { Deadline } from './deadline.ts';

/** INFO and CLIENT LIST as they come. Never a command that reads a key or counts as a lookup. */
export async function perform(
  request: Exclude<RedisRequest, { kind: 'access' }>,
  connection: RedisConnection,
  deadline: Deadline,
  maxRows: number,
): Promise<unknown> {
  switch (request.kind) {
    case 'info':
      return one(connection, ['INFO'], deadline);
    case 'clients':
      return clients(connection, deadline, maxRows);
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

/**
 * MULTI, the commands, DISCARD: rights are checked when a command is queued, and a discarded queue never runs. Wants
 * a connection of its own, and goes on only after MULTI was accepted: without it the commands would be carried out.
 */
export async function askAccess(
  commands: readonly (readonly string[])[],
  connection: RedisConnection,
  deadline: Deadline,
): Promise<Extract<RedisAccess, { state: 'asked' }>['answers']> {
  await one(connection, ['MULTI'], deadline);
  const answers = await connection.send([...commands, ['DISCARD']], deadline);
  return commands.map((words, index) => ({
    command: commandName(words),
    right: rightFrom(answers[index]),
  }));
}

function rightFrom(answer: RedisAnswer | undefined): 'permitted' | 'denied' | 'absent' {
  if (answer === undefined) throw new DoctorError('INTERNAL');
  if (answer.ok) return 'permitted';
  switch (answer.error.code) {
    case 'TARGET_DENIED':
      return 'denied';
    case 'TARGET_UNSUPPORTED':
      return 'absent';
    default:
      throw answer.error;
  }
}

/** The reply of one command; its refusal is thrown. */
export async function one(
  connection: RedisConnection,
  command: readonly string[],
  deadline: Deadline,
): Promise<unknown> {
  const [answer] = await connection.send([command], deadline);
  if (answer === undefined) throw new DoctorError('INTERNAL');
  if (!answer.ok) throw answer.error;
  return answer.reply;
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
