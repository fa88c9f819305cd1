import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { becomeOneBuilder } from './one-builder.ts';

const never = new AbortController().signal;
const nameOf = (test: string): string => `spec-${test}-${process.pid}`;

describe('the lock of a build', () => {
  it('is held by one at a time, and those who wait hear its progress', async () => {
    const order: string[] = [];
    const heard: string[] = [];
    const first = await becomeOneBuilder(nameOf('a'), () => undefined, never);
    const second = becomeOneBuilder(nameOf('a'), (line) => heard.push(line), never).then((lock) => {
      order.push('second holds');
      return lock;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    first.say('half way');
    await new Promise((resolve) => setTimeout(resolve, 50));
    order.push('first lets go');
    await first.release();
    await (await second).release();
    expect(order).toEqual(['first lets go', 'second holds']);
    expect(heard).toEqual(['half way']);
  });

  it('goes with a holder that is killed', async () => {
    const module = new URL('./one-builder.ts', import.meta.url).href;
    const program = `const { becomeOneBuilder } = await import(${JSON.stringify(module)});
      await becomeOneBuilder(${JSON.stringify(nameOf('b'))}, () => {}, new AbortController().signal);
      console.log('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program]);
    await once(holder.stdout, 'data');
    const mine = becomeOneBuilder(nameOf('b'), () => undefined, never);
    holder.kill('SIGKILL');
    await (await mine).release();
  });

  it('is not waited for any longer once the signal aborts', async () => {
    const first = await becomeOneBuilder(nameOf('c'), () => undefined, never);
    await expect(
      becomeOneBuilder(nameOf('c'), () => undefined, AbortSignal.timeout(30)),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    await first.release();
  });
});
