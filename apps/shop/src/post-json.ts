/** The other side answered, but not with success. */
class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: number;
  readonly code: string;

  constructor(url: string, status: number) {
    super(`${new URL(url).pathname} answered ${status}`);
    this.status = status;
    this.code = `HTTP_${status}`;
  }
}

/** Rejects with StatusError below 200 or from 300 on, with a TimeoutError after `timeoutMs`, or as fetch does. */
export async function postJson(url: string, body: unknown, timeoutMs: number): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new StatusError(url, response.status);
  return answer;
}
