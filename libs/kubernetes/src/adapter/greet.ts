import type { Greeting, Limit } from '@starr/kernel';
import type { Asker } from './ask.ts';
import { deadlineWithin } from './deadline.ts';

/**
 * Version and clock. The clock comes from the Date header, which has whole seconds: where our own clock agrees with it, ours
 * is finer. A server that keeps its version to itself (403) still has a clock; its version is then empty.
 */
export async function greetCluster(ask: Asker, limit: Limit): Promise<Greeting> {
  const asked = Date.now();
  const answer = await ask(
    {
      path: '/version',
      signal: deadlineWithin(limit).signal,
      what: 'first contact',
      spends: 'reads',
      accepts: [403],
    },
    limit,
  );
  return {
    version: answer.status === 403 ? '' : versionFrom(answer.text),
    now: clockFrom(answer.headers['date'], asked, Date.now()),
  };
}

function versionFrom(text: string): string {
  const version = /"gitVersion"\s*:\s*"([^"]{1,64})"/.exec(text)?.[1];
  return version ?? '';
}

export function clockFrom(header: string | undefined, askedMs: number, answeredMs: number): Date {
  const ours = new Date((askedMs + answeredMs) / 2);
  const stated = header === undefined ? Number.NaN : Date.parse(header);
  if (Number.isNaN(stated)) return ours;
  const agrees = answeredMs >= stated && askedMs < stated + 1000;
  return agrees ? ours : new Date(stated + 500);
}
