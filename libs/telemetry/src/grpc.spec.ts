import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  credentials,
  makeClientConstructor,
  Server,
  ServerCredentials,
  type Client,
  type ClientReadableStream,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import { tracingClientInterceptor } from './grpc-client.ts';
import { tracingServerInterceptor } from './grpc-server.ts';
import { inSpan } from './tracer.ts';

const text = {
  serialize: (value: string) => Buffer.from(value),
  deserialize: (bytes: Buffer) => bytes.toString(),
};
const method = (name: string, responseStream: boolean) => ({
  path: `/spec.Echo/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: text.serialize,
  requestDeserialize: text.deserialize,
  responseSerialize: text.serialize,
  responseDeserialize: text.deserialize,
});
const DEFINITION: ServiceDefinition = {
  say: method('Say', false),
  count: method('Count', true),
  fail: method('Fail', false),
};

interface EchoClient extends Client {
  say(request: string, callback: (error: Error | null, response: string) => void): void;
  fail(request: string, callback: (error: Error | null, response: string) => void): void;
  count(request: string): ClientReadableStream<string>;
}

const exporter = new InMemorySpanExporter();
let server: Server;
let client: EchoClient;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  );
  server = new Server({ interceptors: [tracingServerInterceptor] });
  server.addService(DEFINITION, {
    say: (call: { request: string }, callback: (error: null, response: string) => void) => {
      // the handler's own span must hang below the server's
      void inSpan('inside', {}, () => Promise.resolve()).then(() => {
        callback(null, call.request);
      });
    },
    fail: (_call: unknown, callback: (error: { code: number; details: string }) => void) => {
      callback({ code: 5, details: 'nothing there' });
    },
    count: (call: ServerWritableStream<string, string>) => {
      const timer = setInterval(() => call.write('tick'), 5);
      call.on('cancelled', () => {
        clearInterval(timer);
      });
      if (call.request === 'short') {
        setTimeout(() => {
          clearInterval(timer);
          call.end();
        }, 30);
      }
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  const Echo = makeClientConstructor(DEFINITION, 'Echo');
  client = new Echo(`127.0.0.1:${port}`, credentials.createInsecure(), {
    interceptors: [tracingClientInterceptor],
  }) as unknown as EchoClient;
});

afterAll(() => {
  client.close();
  server.forceShutdown();
});

beforeEach(() => {
  exporter.reset();
});

const call = (name: 'say' | 'fail') =>
  new Promise<string>((resolve) => {
    client[name]('hello', (error, response) => {
      resolve(error ? error.message : response);
    });
  });

async function spans(count: number): Promise<readonly ReadableSpan[]> {
  for (let waited = 0; waited < 100 && exporter.getFinishedSpans().length < count; waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return exporter.getFinishedSpans();
}

const of = (all: readonly ReadableSpan[], kind: SpanKind) => all.find((span) => span.kind === kind);

describe('spans of gRPC', () => {
  it('hang together: the caller, the client, the server, what the handler does', async () => {
    await inSpan('caller', {}, () => call('say'));
    const all = await spans(4);
    const [client_, server_] = [of(all, SpanKind.CLIENT), of(all, SpanKind.SERVER)];
    expect(client_?.parentSpanContext?.spanId).toBe(
      all.find(({ name }) => name === 'caller')?.spanContext().spanId,
    );
    expect(server_?.parentSpanContext?.spanId).toBe(client_?.spanContext().spanId);
    expect(all.find(({ name }) => name === 'inside')?.parentSpanContext?.spanId).toBe(
      server_?.spanContext().spanId,
    );
    expect(server_?.attributes).toMatchObject({
      'rpc.method': 'spec.Echo/Say',
      'rpc.response.status_code': 'OK',
    });
  });

  it('carry the status of a failed call on both sides', async () => {
    await call('fail');
    const all = await spans(2);
    for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
      expect(of(all, kind)).toMatchObject({
        status: { code: 2, message: 'nothing there' },
        attributes: { 'rpc.response.status_code': 'NOT_FOUND' },
      });
    }
  });

  it('end with a stream that is read to its end', async () => {
    for await (const _tick of client.count('short') as AsyncIterable<string>) continue;
    expect(
      (await spans(2)).map(({ attributes }) => attributes['rpc.response.status_code']),
    ).toEqual(['OK', 'OK']);
  });

  it('end with a stream that the client cancels, without calling it an error', async () => {
    const stream = client.count('long');
    stream.on('error', () => undefined);
    stream.once('data', () => {
      stream.cancel();
    });
    const all = await spans(2);
    expect(all.map(({ attributes }) => attributes['rpc.response.status_code'])).toEqual([
      'CANCELLED',
      'CANCELLED',
    ]);
    expect(all.map(({ status }) => status.code)).toEqual([0, 0]);
  });
});
