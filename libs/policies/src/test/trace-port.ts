import { AsyncLocalStorage } from 'node:async_hooks';
import { context, ROOT_CONTEXT, trace, type Context, type Span } from '@opentelemetry/api';

export interface NotedEvent {
  readonly traceId: string;
  readonly event: string;
  readonly attributes: unknown;
}

export interface TracePort {
  /** Runs `act` with an active span of that trace. */
  within<T>(traceId: string, act: () => T): T;
  readonly events: readonly NotedEvent[];
  end(): void;
}

/** Contexts kept as a tracing SDK keeps them, and spans that say what was noted on them. */
export function startTracePort(): TracePort {
  const store = new AsyncLocalStorage<Context>();
  const events: NotedEvent[] = [];
  context.setGlobalContextManager({
    active: () => store.getStore() ?? ROOT_CONTEXT,
    with: (to, run, self, ...args) => store.run(to, () => run.apply(self as never, args)),
    bind: (_to, target) => target,
    enable() {
      return this;
    },
    disable() {
      store.disable();
      return this;
    },
  });
  return {
    within(traceId, act) {
      const span: Span = trace.wrapSpanContext({
        traceId,
        spanId: '00f067aa0ba902b7',
        traceFlags: 1,
      });
      span.addEvent = (event, attributes) => {
        events.push({ traceId, event, attributes });
        return span;
      };
      return context.with(trace.setSpan(context.active(), span), act);
    },
    events,
    end() {
      context.disable();
    },
  };
}
