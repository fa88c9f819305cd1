import { describe, expect, it } from '@jest/globals';
import type { GuideCommand } from './guide-commands.ts';
import { createGuideScript, type ProgramPaths } from './guide-script.ts';

/** The shell's own programs stand where the clients do. */
const paths: ProgramPaths = { psql: 'sh', 'redis-cli': 'sleep', kubectl: 'echo', curl: 'curl' };

function command(
  parts: Pick<GuideCommand, 'program' | 'args'> & { filter?: string },
): GuideCommand {
  return { check: 'db.connection-use', section: 'none', env: {}, ...parts };
}

describe('the script of the guide', () => {
  const naps = [1, 2, 3].map(() => command({ program: 'redis-cli', args: ['0.1'] }));

  it('takes the sum in sequence and the slowest all at once', async () => {
    const script = createGuideScript(naps, paths);
    expect(await script.inSequence()).toBeGreaterThanOrEqual(300);
    expect(await script.allAtOnce()).toBeGreaterThanOrEqual(100);
  });

  it('accepts a filter that lets nothing through', async () => {
    const silent = command({ program: 'kubectl', args: ['fine'], filter: 'grep ERROR' });
    const script = createGuideScript([silent], paths);
    await script.prove();
    expect(await script.inSequence()).toBeGreaterThan(0);
  });

  it.each([
    ['fails', 'echo no such column >&2; exit 2', 'no such column'],
    ['says nothing', 'true', '(no output)'],
  ])('is refused when a command %s', async (_, words, says) => {
    const script = createGuideScript([command({ program: 'psql', args: ['-c', words] })], paths);
    await expect(script.prove()).rejects.toThrow(says);
  });
});
