import { DoctorError } from '@starr/kernel';
import type { RedisConnection } from './connect.ts';
import type { Deadline } from './deadline.ts';

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
