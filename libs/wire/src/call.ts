import {
  Metadata,
  type CallOptions,
  type ClientReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { DoctorError } from '@starr/kernel';
import { errorFromStatus } from './status.ts';

type Callback<Res> = (error: ServiceError | null, response: Res) => void;
export type UnaryMethod<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: Callback<Res>,
) => { cancel(): void };
export type StreamMethod<Req, Res> = (
  request: Req,
  metadata?: Metadata,
  options?: Partial<CallOptions>,
) => ClientReadableStream<Res>;

export interface CallLimits {
  /** No call waits for ever. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** One request, one answer; cancelled with the signal, ended by the deadline. */
export function callUnary<Req, Res>(
  method: UnaryMethod<Req, Res>,
  request: Req,
  limits: CallLimits,
): Promise<Res> {
  const { signal } = limits;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new DoctorError('WIRE_CANCELLED'));
      return;
    }
    const call = method(
      request,
      new Metadata(),
      { deadline: Date.now() + limits.timeoutMs },
      (error, response) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(errorFromStatus(error));
        else resolve(response);
      },
    );
    const cancel = () => {
      call.cancel();
    };
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** One request, a stream of answers; leaving the loop early cancels the call. */
export async function* callStream<Req, Res>(
  method: StreamMethod<Req, Res>,
  request: Req,
  limits: CallLimits,
): AsyncGenerator<Res> {
  const { signal } = limits;
  if (signal?.aborted === true) throw new DoctorError('WIRE_CANCELLED');
  const call = method(request, new Metadata(), { deadline: Date.now() + limits.timeoutMs });
  const cancel = () => {
    call.cancel();
  };
  // The iterator reports errors; without a listener a late one after the loop would be unhandled.
  call.on('error', () => undefined);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of call as AsyncIterable<Res>) yield message;
  } catch (error) {
    throw errorFromStatus(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    call.cancel();
  }
}
