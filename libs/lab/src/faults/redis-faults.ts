import { Redis } from 'ioredis';
import type { LabRedis } from '../redis.ts';
import { type Fault, faultFrom } from './fault.ts';

const BUSY_AFTER_MS = 50;
const POPULATED_KEY_BYTES = 64;

/**
 * Runs a Lua script that never ends. Resolves when other commands are answered with BUSY; ends by
 * SCRIPT KILL, which a script that has written nothing obeys.
 */
export async function busyRedis(server: LabRedis): Promise<Fault> {
  await server.command('CONFIG', 'SET', 'busy-reply-threshold', String(BUSY_AFTER_MS));
  const runner = new Redis(server.url, { retryStrategy: null, maxRetriesPerRequest: 0 });
  runner.on('error', () => undefined);
  runner.call('EVAL', 'while true do end', '0').catch(() => undefined);
  while (!(await answersWith(server, 'BUSY'))) await pauseFor(BUSY_AFTER_MS);
  return faultFrom('a Lua script that never ends keeps Redis busy', async () => {
    try {
      await server.command('SCRIPT', 'KILL');
      while (await answersWith(server, 'BUSY')) await pauseFor(10); // it dies at its next look
    } finally {
      runner.disconnect();
    }
  });
}

/**
 * Restarts the server with `keys` keys to read (default 200,000), slowly enough to last about
 * `lastsMs`. Resolves when commands are answered with LOADING; ends when the data are read.
 */
export async function loadingRedis(
  server: LabRedis,
  { keys = 200_000, lastsMs = 10_000 }: { readonly keys?: number; readonly lastsMs?: number } = {},
): Promise<Fault> {
  await server.command('DEBUG', 'POPULATE', String(keys), 'loading', String(POPULATED_KEY_BYTES));
  await server.command('SAVE');
  // Redis sleeps this long for each key it reads: the setting its own tests use to look at LOADING.
  await server.restart({
    ready: false,
    settings: {
      'key-load-delay': String(Math.max(1, Math.round((lastsMs * 1000) / keys))),
      'loading-process-events-interval-bytes': '4096', // it looks at its clients this often meanwhile
    },
  });
  while (!(await answersWith(server, 'LOADING'))) await pauseFor(10);
  return faultFrom(`Redis reads ${keys} keys and answers LOADING meanwhile`, async () => {
    await server.command('CONFIG', 'SET', 'key-load-delay', '0');
    while (await answersWith(server, 'LOADING')) await pauseFor(10);
  });
}

async function answersWith(server: LabRedis, word: 'BUSY' | 'LOADING'): Promise<boolean> {
  return server.command('GET', 'any').then(
    () => false,
    (error: unknown) => Error.isError(error) && error.message.startsWith(word),
  );
}

function pauseFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
