import {
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
  type Metadata,
  type ServerInterceptor,
  type ServerListener,
} from '@grpc/grpc-js';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { endSpan, isQuiet } from './grpc-client.ts';
import { startSpan } from './tracer.ts';

/** A server span a call; handlers run with it active, streams that the client cancels end it too. */
export const tracingServerInterceptor: ServerInterceptor = (methodDescriptor, call) => {
  const method = methodDescriptor.path.slice(1);
  if (isQuiet(method)) return new ServerInterceptingCall(call);
  const state: { span?: Span } = {};
  const end = (code: number, details: string | undefined) => {
    if (state.span) endSpan(state.span, code, details);
    delete state.span;
  };
  const responder = new ResponderBuilder()
    .withStart((next) => {
      next(traceIncoming(method, state, end));
    })
    .withSendStatus((result, next) => {
      end(result.code, result.details);
      next(result);
    })
    .build();
  return new ServerInterceptingCall(call, responder);
};

function traceIncoming(
  method: string,
  state: { span?: Span },
  end: (code: number, details: string | undefined) => void,
): ServerListener {
  let active: Context = ROOT_CONTEXT;
  return new ServerListenerBuilder()
    .withOnReceiveMetadata((metadata, next) => {
      const parent = propagation.extract(ROOT_CONTEXT, metadata, {
        get: getMetadata,
        keys: (carrier) => Object.keys(carrier.getMap()),
      });
      state.span = startSpan(method, {
        kind: SpanKind.SERVER,
        parent,
        attributes: { 'rpc.system.name': 'grpc', 'rpc.method': method },
      });
      active = trace.setSpan(parent, state.span);
      context.with(active, () => {
        next(metadata);
      });
    })
    .withOnReceiveMessage((message, next) => {
      context.with(active, () => {
        next(message);
      });
    })
    .withOnReceiveHalfClose((next) => {
      context.with(active, next);
    })
    .withOnCancel(() => {
      end(status.CANCELLED, 'cancelled by the client');
    })
    .build();
}

function getMetadata(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return typeof value === 'string' ? value : undefined;
}
