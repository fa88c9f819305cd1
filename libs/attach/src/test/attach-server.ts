import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  processMessageFromProto,
  ResilienceServiceService,
  serviceMessageToProto,
  type AttachRequest,
  type AttachResponse,
  type ProcessMessage,
  type ServiceMessage,
} from '@starr/wire';

type Call = ServerDuplexStream<AttachRequest, AttachResponse>;

/** The other end of an attachment, on a real gRPC server, in the hands of a spec. */
export interface AttachServer {
  readonly port: number;
  /** All that came, over all streams. */
  readonly heard: ProcessMessage[];
  /** The credential of each stream that was opened. */
  readonly tokens: string[];
  /** Over the newest stream. */
  send(message: ServiceMessage): void;
  stop(): Promise<void>;
}

export interface AttachServerOptions {
  readonly port?: number;
  /** Default true; false: it lets a stream open and says nothing. */
  readonly welcomes?: boolean;
  /** False: it never ends a stream that was half-closed. */
  readonly endsStreams?: boolean;
}

export async function startAttachServer(options: AttachServerOptions = {}): Promise<AttachServer> {
  const heard: ProcessMessage[] = [];
  const tokens: string[] = [];
  let newest: Call | undefined;
  const attach = (call: Call) => {
    newest = call;
    tokens.push(call.metadata.get('authorization').join());
    call.on('error', () => undefined);
    call.on('end', () => {
      if (options.endsStreams !== false) call.end();
    });
    call.on('data', (request: AttachRequest) => {
      const message = processMessageFromProto(request);
      if (!message) return;
      heard.push(message);
      if (message.kind !== 'hello' || options.welcomes === false) return;
      // so long that nothing but what a spec asks for is reported
      call.write(serviceMessageToProto({ kind: 'welcome', reportIntervalMs: 3_600_000 }));
    });
  };
  const server = new Server();
  const absent = () => undefined;
  server.addService(ResilienceServiceService, { attach, listProcesses: absent, watch: absent });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${options.port ?? 0}`,
      ServerCredentials.createInsecure(),
      (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      },
    );
  });
  return {
    port,
    heard,
    tokens,
    send: (message) => newest?.write(serviceMessageToProto(message)),
    stop: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}
