import { trace } from '@opentelemetry/api';

/** Notes what a policy did on the span of the caller; nothing happens where no tracing runs. */
export function noteOnActiveSpan(
  event: string,
  attributes: Readonly<Record<string, string | number | boolean>>,
): void {
  trace.getActiveSpan()?.addEvent(event, { ...attributes });
}
