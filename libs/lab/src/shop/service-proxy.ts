import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import type { KubeApi } from '../kubernetes/kube-api.ts';
import { mirror } from '../kubernetes/mirror.ts';
import type { Pod } from '../node-agent/pod-types.ts';

export interface ServiceProxyOptions {
  readonly namespace: string;
  /** Label `app` of the pods behind it. */
  readonly app: string;
  /** Where the pods listen. */
  readonly targetPort: number;
}

export interface ServiceProxy {
  /** e.g. `http://127.0.0.1:23456`. */
  readonly url: string;
  /** Addresses of the pods that are ready now. */
  readonly ready: () => readonly string[];
  stop(): Promise<void>;
}

/**
 * Plays kube-proxy for one service: passes each connection to a ready pod in turn, to the next one when
 * a pod refuses. Needed because the API server takes no loopback address into an EndpointSlice.
 */
export async function startServiceProxy(
  api: KubeApi,
  { namespace, app, targetPort }: ServiceProxyOptions,
): Promise<ServiceProxy> {
  const stopping = new AbortController();
  const addresses = new Map<string, string>();
  let turn = 0;
  const watching = mirror<Pod>(
    api,
    `/api/v1/namespaces/${namespace}/pods`,
    {
      onSeen(pod) {
        const ip = pod.metadata.labels?.['app'] === app ? readyAddress(pod) : undefined;
        if (ip === undefined) addresses.delete(pod.metadata.name);
        else addresses.set(pod.metadata.name, ip);
      },
      onGone: (pod) => addresses.delete(pod.metadata.name),
      onList(pods) {
        const names = new Set(pods.map((pod) => pod.metadata.name));
        for (const name of addresses.keys()) if (!names.has(name)) addresses.delete(name);
      },
    },
    stopping.signal,
  );
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    turn += 1;
    const all = [...addresses.values()];
    const first = all.length === 0 ? 0 : turn % all.length;
    forward(socket, [...all.slice(first), ...all.slice(0, first)], targetPort);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready: () => [...addresses.values()],
    async stop() {
      stopping.abort();
      for (const socket of open) socket.destroy();
      await Promise.all([watching, new Promise((resolve) => server.close(resolve))]);
    },
  };
}

function readyAddress(pod: Pod): string | undefined {
  const ready = pod.status?.conditions?.some(
    (condition) => condition.type === 'Ready' && condition.status === 'True',
  );
  return ready === true && pod.metadata.deletionTimestamp === undefined
    ? pod.status?.podIP
    : undefined;
}

/** With no pod left the connection is reset: what a client sees of a service without endpoints. */
function forward(from: Socket, addresses: readonly string[], port: number): void {
  from.on('error', () => undefined);
  const [host, ...others] = addresses;
  if (host === undefined) {
    from.resetAndDestroy();
    return;
  }
  const to = connect({ host, port, allowHalfOpen: true });
  const refused = (): void => {
    to.destroy();
    forward(from, others, port);
  };
  to.once('error', refused);
  to.once('connect', () => {
    to.off('error', refused);
    to.on('error', () => from.destroy());
    to.once('close', () => from.destroy());
    from.once('close', () => to.destroy());
    from.pipe(to).pipe(from);
  });
}
