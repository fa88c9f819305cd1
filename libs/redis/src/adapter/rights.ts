import { DoctorError } from '@starr/kernel';
import type { CommandRight, RedisRights } from '../request.ts';
import { commandName } from './command-name.ts';
import type { RedisAnswer, RedisConnection } from './connect.ts';
import type { Deadline } from './deadline.ts';

/** All that looking needs, in its cheapest form: nobody has the id 0. */
const LOOKS: readonly (readonly string[])[] = [
  ['INFO', 'server'],
  ['TIME'],
  ['CLIENT', 'LIST', 'ID', '0'],
];

/** By using them: none of them changes anything or costs more than a line. */
export async function lookingRights(
  connection: RedisConnection,
  deadline: Deadline,
): Promise<RedisRights> {
  const answers = await connection.send(LOOKS, deadline);
  return { user: connection.user, answers: rightsFrom(LOOKS, answers) };
}

/**
 * MULTI, the commands, DISCARD: rights are checked when a command is queued, and a discarded queue never runs. Wants
 * a connection of its own, and goes on only after MULTI was accepted: without it the commands would be carried out.
 */
export async function actingRights(
  commands: readonly (readonly string[])[],
  connection: RedisConnection,
  deadline: Deadline,
): Promise<RedisRights> {
  const { user } = connection;
  const begun = await connection.send([['MULTI']], deadline);
  const multi = rightsFrom([['MULTI']], begun);
  if (begun[0]?.ok !== true)
    return {
      user,
      answers: [
        ...multi,
        ...commands.map((words) => ({ command: commandName(words), right: 'unknown' as const })),
      ],
    };
  // Where DISCARD is refused, closing the connection discards as well.
  const answers = await connection.send([...commands, ['DISCARD']], deadline);
  return { user, answers: [...multi, ...rightsFrom(commands, answers)] };
}

function rightsFrom(
  commands: readonly (readonly string[])[],
  answers: readonly RedisAnswer[],
): readonly CommandRight[] {
  return commands.map((words, index) => ({
    command: commandName(words),
    right: rightFrom(answers[index]),
  }));
}

function rightFrom(answer: RedisAnswer | undefined): CommandRight['right'] {
  if (answer === undefined) throw new DoctorError('INTERNAL');
  if (answer.ok) return 'permitted';
  switch (answer.error.code) {
    case 'TARGET_DENIED':
      return 'denied';
    case 'TARGET_UNSUPPORTED':
      return 'absent';
    // Said only to those who have the right, which Redis checks first: arguments that an old version does not know;
    // a memory so full that nothing is queued, a script that runs, a data set that loads.
    case 'EVIDENCE_MALFORMED':
    case 'TARGET_BUSY':
      return 'permitted';
    default:
      throw answer.error;
  }
}
