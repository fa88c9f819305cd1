import { once } from 'node:events';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServerWritableStream,
} from '@grpc/grpc-js';
import { isDoctorError } from '@starr/kernel';
import { statusFromError } from '@starr/wire';
import { failSpan, type Log } from '@starr/telemetry';
import { trace } from '@opentelemetry/api';

export interface CallContext {
  /** Aborted when the client is gone or its deadline has passed. */
  readonly signal: AbortSignal;
  readonly metadata: Metadata;
}

/** Map in, call the domain, map out: a unary rpc as a function. */
export function unary<Req, Res>(
  log: Log,
  handle: (request: Req, context: CallContext) => Promise<Res>,
): handleUnaryCall<Req, Res> {
  return (call, callback) => {
    const abort = new AbortController();
    call.on('cancelled', () => {
      abort.abort();
    });
    const { request, metadata } = call;
    // A handler that throws at once must not leave as a fault of gRPC's own.
    new Promise<Res>((resolve) => {
      resolve(handle(request, { signal: abort.signal, metadata }));
    }).then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        report(log, call.getPath(), error);
        callback(statusFromError(error));
      },
    );
  };
}

/** A server-streaming rpc as an async iterable; a slow reader slows the source. */
export function streaming<Req, Res>(
  log: Log,
  handle: (request: Req, context: CallContext) => AsyncIterable<Res>,
): handleServerStreamingCall<Req, Res> {
  return (call) => {
    const abort = new AbortController();
    call.on('cancelled', () => {
      abort.abort();
    });
    // Writing to a client that has gone emits an error that nobody needs.
    call.on('error', () => undefined);
    void pump(
      call,
      handle(call.request, { signal: abort.signal, metadata: call.metadata }),
      abort.signal,
    ).catch((error: unknown) => {
      report(log, call.getPath(), error);
      call.emit('error', statusFromError(error));
    });
  };
}

async function pump<Req, Res>(
  call: ServerWritableStream<Req, Res>,
  messages: AsyncIterable<Res>,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of messages) {
    if (signal.aborted) return;
    if (!call.write(message)) await once(call, 'drain', { signal }).catch(() => undefined);
  }
  call.end();
}

/** What is not ours leaves as a fixed sentence, so its text must be in the log. */
function report(log: Log, path: string, error: unknown): void {
  const span = trace.getActiveSpan();
  if (span) failSpan(span, error);
  if (isDoctorError(error) && error.code !== 'INTERNAL') return;
  const cause = isDoctorError(error) ? error.cause : error;
  log.log('error', `${path} failed`, {
    error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
  });
}
