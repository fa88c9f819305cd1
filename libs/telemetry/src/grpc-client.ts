import {
  InterceptingCall,
  ListenerBuilder,
  RequesterBuilder,
  status,
  type Interceptor,
  type Metadata,
} from '@grpc/grpc-js';
import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span,
} from '@opentelemetry/api';
import { startSpan } from './tracer.ts';

/** A client span a call, with the context in the metadata. Ends with the call's status, also when it is cancelled. */
export const tracingClientInterceptor: Interceptor = (options, nextCall) => {
  const method = options.method_definition.path.slice(1);
  if (isQuiet(method)) return new InterceptingCall(nextCall(options));
  const span = startSpan(method, {
    kind: SpanKind.CLIENT,
    attributes: { 'rpc.system.name': 'grpc', 'rpc.method': method },
  });
  const requester = new RequesterBuilder()
    .withStart((metadata, _listener, next) => {
      propagation.inject(trace.setSpan(context.active(), span), metadata, { set: setMetadata });
      const listener = new ListenerBuilder()
        .withOnReceiveStatus((result, pass) => {
          endSpan(span, result.code, result.details);
          pass(result);
        })
        .build();
      next(metadata, listener);
    })
    .build();
  return new InterceptingCall(nextCall(options), requester);
};

/** Health and reflection are polled and would drown the rest; an attachment lives as long as its process. */
export function isQuiet(method: string): boolean {
  return (
    method.startsWith('grpc.health.') ||
    method.startsWith('grpc.reflection.') ||
    method === 'starr.resilience.v1.ResilienceService/Attach'
  );
}

/** The status on the span; a cancelled call is not an error. */
export function endSpan(span: Span, code: number, details: string | undefined): void {
  span.setAttribute('rpc.response.status_code', status[code] ?? String(code));
  if (code !== 0 && code !== 1)
    span.setStatus({ code: SpanStatusCode.ERROR, message: details ?? '' });
  span.end();
}

function setMetadata(metadata: Metadata, key: string, value: string): void {
  metadata.set(key, value);
}
