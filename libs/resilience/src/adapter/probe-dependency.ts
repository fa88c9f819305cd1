import { maskText } from '@starr/kernel';
import type { Dependency, DependencyProbe } from '../request.ts';

const maxAttempts = 2;

/** GETs the URL, and once more when that fails: one lost packet is no outage. Never throws. */
export async function probeDependency(
  { name, url }: Dependency,
  withinMs: number,
  signal: AbortSignal,
): Promise<DependencyProbe> {
  let why = 'no time was left';
  const attemptMs = Math.ceil(withinMs / maxAttempts);
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const startedMs = performance.now();
    try {
      const response = await fetch(url, {
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]),
        // a connection that was kept open would hide that no new one can be made
        headers: { connection: 'close' },
      });
      const answerMs = Math.round(performance.now() - startedMs);
      await response.body?.cancel();
      if (response.status < 500 || attempt === maxAttempts) {
        return { name, outcome: { kind: 'answered', status: response.status, answerMs } };
      }
    } catch (error) {
      why = reasonOf(error, attemptMs);
    }
  }
  return { name, outcome: { kind: 'failed', why, attempts: maxAttempts } };
}

/** fetch wraps the cause: `fetch failed` alone tells nobody anything. */
function reasonOf(error: unknown, withinMs: number): string {
  for (let at = error; typeof at === 'object' && at !== null;) {
    if ('name' in at && (at.name === 'TimeoutError' || at.name === 'AbortError')) {
      return `no answer within ${Math.round(withinMs)} ms`;
    }
    if ('code' in at && typeof at.code === 'string') return at.code;
    at = 'cause' in at ? at.cause : undefined;
  }
  return maskText(error instanceof Error ? error.message : String(error));
}
