import { defineGrantsAdvisor, type GrantsAdvice } from '@starr/kernel';
import { actingRightsRead, lookingRightsRead } from './reads/rights.ts';
import type { CommandRight } from './request.ts';

const SUGGESTED_LOOKING_USER = 'starr';
const SUGGESTED_ACTING_USER = 'starr-act';
const DEFAULT_USER = 'default';

/** What the two users need on this server, as lines for redis-cli. No key is ever read, so that none is opened to them. */
export const redisGrants = defineGrantsAdvisor({
  reads: { looking: lookingRightsRead, acting: actingRightsRead },
  advise: ({ looking, acting }): GrantsAdvice => {
    const actingUser = acting.state === 'asked' ? acting.user : SUGGESTED_ACTING_USER;
    const actingAnswers = acting.state === 'asked' ? acting.answers : [];
    return {
      language: 'acl',
      diagnosing: [lineFor(looking.user, SUGGESTED_LOOKING_USER, named(looking.answers))],
      acting: [
        lineFor(
          actingUser,
          SUGGESTED_ACTING_USER,
          actingAnswers.length > 0 ? named(actingAnswers) : ACTING_COMMANDS,
        ),
      ],
      lacking: [
        ...lackingLine(looking.user, looking.answers),
        ...lackingLine(actingUser, actingAnswers),
      ],
    };
  },
});

/** MULTI is for asking for the other rights without using them; SETNAME, LIST and KILL fence a lost act. */
const ACTING_COMMANDS: readonly string[] = [
  'multi',
  'info',
  'config|get',
  'config|set',
  'client|setname',
  'client|list',
  'client|kill',
];

/** For the default user another one is named: it can do everything, and that is too much for a doctor. */
function lineFor(user: string, suggested: string, commands: readonly string[]): string {
  const who = user === DEFAULT_USER ? suggested : user;
  return `ACL SETUSER ${who} on resetkeys resetchannels -@all ${plus(commands)}`;
}

/** What is refused today; what could not be asked goes with it. A command that the server does not have cannot be granted. */
function lackingLine(user: string, answers: readonly CommandRight[]): readonly string[] {
  const lacking = answers.filter(({ right }) => right === 'denied' || right === 'unknown');
  if (lacking.length === 0) return [];
  return [`ACL SETUSER ${user} ${plus(named(lacking))}`];
}

function named(answers: readonly CommandRight[]): readonly string[] {
  return answers.filter(({ right }) => right !== 'absent').map(({ command }) => command);
}

function plus(commands: readonly string[]): string {
  return commands.map((command) => `+${command}`).join(' ');
}
