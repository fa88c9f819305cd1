import { pagerDutyBody, slackBody, type Answer } from '@starr/incident';
import type { Clock } from '@starr/kernel';
import type { Log } from '@starr/telemetry';

/** Where messages go, secrets resolved. */
export type NotifyTarget =
  | { readonly shape: 'slack'; readonly url: string }
  | { readonly shape: 'pagerduty'; readonly url: string; readonly routingKey: string };

export interface Message {
  readonly answer: Answer;
  readonly lines: readonly string[];
  /** Equal keys are one alert there. */
  readonly dedupKey: string;
}

export interface Notifier {
  /** One POST to each place. Never rejects: a message that cannot be sent is logged. */
  send(message: Message): Promise<void>;
}

const TIMEOUT_MS = 5000;
const ATTEMPTS = 3;
const PAUSE_MS = 1000;

export function createNotifier(
  targets: readonly NotifyTarget[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Notifier {
  return {
    send: async (message) => {
      await Promise.all(targets.map((target) => post(target, message, clock, log)));
    },
  };
}

async function post(target: NotifyTarget, message: Message, clock: Clock, log: Log): Promise<void> {
  const body = JSON.stringify(bodyFor(target, message));
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const trouble = await tryPost(target.url, body);
    if (trouble === undefined) return;
    // The address is a secret: whoever has a Slack webhook's may post there.
    log.log('warn', `the message to ${target.shape} was not taken`, {
      attempt,
      error: trouble.says,
    });
    if (!trouble.isPassing) return;
    await clock.sleep(PAUSE_MS * attempt);
  }
}

function bodyFor(target: NotifyTarget, { answer, lines, dedupKey }: Message): unknown {
  switch (target.shape) {
    case 'slack':
      return slackBody(lines);
    case 'pagerduty':
      return pagerDutyBody(answer, lines, { routingKey: target.routingKey, dedupKey });
  }
}

/** Undefined: it was taken. */
async function tryPost(
  url: string,
  body: string,
): Promise<{ says: string; isPassing: boolean } | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    const isPassing = response.status === 429 || response.status >= 500;
    return { says: `it answered ${response.status}`, isPassing };
  } catch (error) {
    return { says: error instanceof Error ? error.name : 'no answer', isPassing: true };
  }
}
