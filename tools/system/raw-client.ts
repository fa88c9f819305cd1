import {
  Client,
  credentials,
  Metadata,
  status,
  type ClientReadableStream,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { errorFromStatus } from '@starr/wire';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one client for the methods of all services
export type AnyMethod = MethodDefinition<any, any>;

/** How a call ended, or the first message of a stream. */
export interface Ended {
  /** gRPC's word: `OK`, `INVALID_ARGUMENT` … */
  readonly status: string;
  /** Our own code out of ErrorInfo; absent: OK, or not an answer of ours. */
  readonly reason?: string;
  /** The field that the error is about. */
  readonly field?: string;
  readonly details: string;
  readonly messages: readonly unknown[];
}

/** A client that knows nothing of what may be sent: any field, or bytes that are no message. */
export interface RawClient {
  /** `fields` over the empty message, or the bytes as they are. A stream is followed to its end, or to `most` messages. */
  call(
    method: AnyMethod,
    fields: Readonly<Record<string, unknown>> | Buffer,
    options?: { most?: number },
  ): Promise<Ended>;
  close(): void;
}

const WITHIN_MS = 10_000;
const DOMAIN_CODE = /^[A-Z]+(_[A-Z]+)*$/;

/** `token`: absent: none is sent. */
export function rawClient(port: number, token?: string): RawClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = () => {
    const made = new Metadata();
    if (token !== undefined) made.set('authorization', `Bearer ${token}`);
    return made;
  };
  return {
    async call(method, fields, { most = Infinity } = {}) {
      const request = Buffer.isBuffer(fields) ? fields : bytesOf(method, fields);
      const messages: unknown[] = [];
      try {
        await exchange(client, method, request, metadata(), messages, most);
        return { status: 'OK', details: '', messages };
      } catch (thrown) {
        return { ...endedBy(thrown as ServiceError), messages };
      }
    },
    close: () => {
      client.close();
    },
  };
}

function bytesOf(method: AnyMethod, fields: Readonly<Record<string, unknown>>): Buffer {
  const empty = method.requestDeserialize(Buffer.alloc(0)) as object;
  return method.requestSerialize({ ...empty, ...fields });
}

function exchange(
  client: Client,
  method: AnyMethod,
  request: Buffer,
  metadata: Metadata,
  messages: unknown[],
  most: number,
): Promise<void> {
  const options = { deadline: Date.now() + WITHIN_MS };
  const asIs = (bytes: Buffer) => bytes;
  return new Promise((resolve, reject) => {
    const { path, responseDeserialize: read } = method;
    if (!method.responseStream) {
      client.makeUnaryRequest(path, asIs, read, request, metadata, options, (error, response) => {
        if (error) reject(error);
        else {
          messages.push(response);
          resolve();
        }
      });
      return;
    }
    const call = openStream(client, method, request, metadata, options);
    call.on('data', (message: unknown) => {
      messages.push(message);
      if (messages.length < most) return;
      resolve();
      call.cancel();
    });
    call.on('error', reject);
    call.on('end', resolve);
  });
}

function openStream(
  client: Client,
  { path, requestStream, responseDeserialize: read }: AnyMethod,
  request: Buffer,
  metadata: Metadata,
  options: { deadline: number },
): ClientReadableStream<unknown> {
  const asIs = (bytes: Buffer) => bytes;
  if (!requestStream)
    return client.makeServerStreamRequest(path, asIs, read, request, metadata, options);
  const call = client.makeBidiStreamRequest(path, asIs, read, metadata, options);
  call.write(request);
  return call;
}

/** `errorFromStatus` gives others' statuses a code too; only what carries ErrorInfo is an answer of ours. */
function endedBy(error: ServiceError): Omit<Ended, 'messages'> {
  const own = errorFromStatus(error);
  const isOurs = error.metadata.get('grpc-status-details-bin').length > 0;
  const field = own.details['field'];
  return {
    status: status[error.code],
    details: error.details,
    ...(isOurs && DOMAIN_CODE.test(own.code) && { reason: own.code }),
    ...(field !== undefined && { field }),
  };
}
