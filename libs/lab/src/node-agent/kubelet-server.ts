import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '../kubernetes/certificates.ts';
import type { ContainerKeeper } from './container-keeper.ts';
import type { LogQuery } from './container-log.ts';
import type { PodWorker } from './pod-worker.ts';

export interface KubeletServerOptions {
  readonly address: string;
  readonly certificate: Certificate;
  /** Who signed the certificate that a caller must show: the API server's, and nobody else's. */
  readonly clientCaPem: string;
  readonly find: (namespace: string, pod: string) => PodWorker | undefined;
}

/** The HTTPS side of a kubelet: what the API server asks for when someone reads a pod's log. */
export interface KubeletServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { certificate, clientCaPem } = options;
  const server = createServer(
    {
      cert: certificate.certPem,
      key: certificate.keyPem,
      ca: clientCaPem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      answer(request, response, options).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    },
  );
  server.listen(0, options.address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Refusal {
  readonly status: number;
  readonly says: string;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: KubeletServerOptions,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://kubelet');
  const [, what, namespace = '', pod = '', container = ''] = url.pathname.split('/');
  if (what === 'healthz') {
    response.end('ok');
  } else if (what === 'containerLogs') {
    const worker = options.find(namespace, pod);
    const refusal = await sendLog(response, url.searchParams, worker, { pod, container });
    if (refusal) response.writeHead(refusal.status).end(refusal.says);
  } else {
    response.writeHead(404).end(`the node agent of the lab has no ${what ?? ''}\n`);
  }
}

async function sendLog(
  response: ServerResponse,
  parameters: URLSearchParams,
  worker: PodWorker | undefined,
  names: { readonly pod: string; readonly container: string },
): Promise<Refusal | undefined> {
  if (worker === undefined) return { status: 404, says: `pod "${names.pod}" does not exist` };
  const keeper = worker.container(names.container);
  if (keeper === undefined) {
    const says = `container "${names.container}" not found in pod "${names.pod}"`;
    return { status: 404, says };
  }
  const which = parameters.get('previous') === 'true' ? 'previous' : 'current';
  // a waiting container shows the log of its last run, as a kubelet does
  const log = keeper.log(which === 'previous' ? previousOf(keeper) : 'current');
  if (log === undefined) return { status: 400, says: noLog(keeper, which, names) };
  const gone = new AbortController();
  response.on('close', () => {
    gone.abort();
  });
  response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders();
  for await (const piece of log.read(logQuery(parameters), gone.signal)) {
    if (!response.write(piece)) await drained(response, gone.signal);
  }
  response.end();
  return undefined;
}

/** While the container waits for its next start, the run that ended last is also the previous one. */
function previousOf(keeper: ContainerKeeper): 'current' | 'previous' {
  const { state, lastState } = keeper.view();
  return state.waiting !== undefined && lastState.terminated !== undefined ? 'current' : 'previous';
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await once(response, 'drain', { signal }).catch(() => undefined);
}

function noLog(
  keeper: ContainerKeeper,
  which: 'current' | 'previous',
  { pod, container }: { readonly pod: string; readonly container: string },
): string {
  if (which === 'previous') {
    return `previous terminated container "${container}" in pod "${pod}" not found`;
  }
  const reason = keeper.view().state.waiting?.reason ?? 'ContainerCreating';
  const why =
    reason === 'ErrImagePull'
      ? "image can't be pulled"
      : reason === 'ImagePullBackOff'
        ? 'trying and failing to pull image'
        : reason;
  return `container "${container}" in pod "${pod}" is waiting to start: ${why}`;
}

function logQuery(parameters: URLSearchParams): LogQuery {
  const number = (name: string): number | undefined => {
    const text = parameters.get(name);
    return text === null ? undefined : Number(text);
  };
  const seconds = number('sinceSeconds');
  const time = parameters.get('sinceTime');
  const since =
    seconds === undefined
      ? time === null
        ? undefined
        : new Date(time)
      : new Date(Date.now() - seconds * 1000);
  const tailLines = number('tailLines');
  const limitBytes = number('limitBytes');
  return {
    follow: parameters.get('follow') === 'true',
    timestamps: parameters.get('timestamps') === 'true',
    ...(since === undefined ? {} : { since }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}
