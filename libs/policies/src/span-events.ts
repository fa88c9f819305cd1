import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';

/** Notes what a policy did on the span of the caller; nothing happens where no tracing runs. */
export function noteOnActiveSpan(
  event: string,
  attributes: Readonly<Record<string, string | number | boolean>>,
): void {
  trace.getActiveSpan()?.addEvent(event, { ...attributes });
}

/** Whether anything keeps contexts, so that there is one worth remembering over a timer. */
export function keepsContexts(): boolean {
  const probe = createContextKey('starr.probe');
  return context.with(
    ROOT_CONTEXT.setValue(probe, true),
    () => context.active().getValue(probe) === true,
  );
}
