import { type AddressInfo, type Socket, createServer } from 'node:net';
import type { KubeApi } from '../kubernetes/kube-api.ts';
import type { ImageTable, Pod } from './pod-types.ts';

/** For specs: images of a few lines, and the objects that use them. */

const node = (program: string): { entrypoint: string[] } => ({
  entrypoint: [process.execPath, '-e', program],
});

export const TEST_IMAGES: ImageTable = {
  // answers with its revision on its own address, calls home, ticks, and says goodbye
  web: node(`
    const { REV, STARR_POD_IP, HOME_PORT } = process.env;
    console.log(JSON.stringify({ started: REV }));
    console.error('to stderr');
    require('http').createServer((_, r) => r.end(REV)).listen(8080, STARR_POD_IP);
    if (HOME_PORT) require('net').connect(Number(HOME_PORT), '127.0.0.1').on('error', () => {});
    setInterval(() => console.log('tick'), 100);
    process.on('SIGTERM', () => { console.log('goodbye'); process.exit(0); });`),
  crash: { entrypoint: ['/bin/sh', '-c', 'echo "run of $POD_NAME"; exit 3'] },
  stubborn: { entrypoint: ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 1; done'] },
  hungry: node(`const all = []; setInterval(() => all.push(Buffer.alloc(20e6, 1)), 20);`),
  env: node(`console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000);`),
  once: { entrypoint: ['/bin/sh', '-c'], args: ['exit 0'] },
  homeless: { entrypoint: ['/bin/true'], workingDir: '/nowhere' },
  // dies to its liveness probe: nobody listens
  deaf: node(`setInterval(() => {}, 1000);`),
};

export const NAMESPACE = '/api/v1/namespaces/default';
export const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

export interface PodParts {
  readonly image: string;
  readonly container?: object;
  readonly spec?: object;
}

export function podObject(name: string, { image, container, spec }: PodParts): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'app', image, ...container }],
      ...spec,
    },
  };
}

export function deploymentObject(name: string, replicas: number, template: object): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: template },
    },
  };
}

export async function getPod(api: KubeApi, name: string): Promise<Pod> {
  return api.ask<Pod>({ method: 'GET', path: `${NAMESPACE}/pods/${name}` });
}

export async function listPods(api: KubeApi, app: string): Promise<readonly Pod[]> {
  const path = `${NAMESPACE}/pods?labelSelector=app%3D${app}`;
  return (await api.ask<{ items: Pod[] }>({ method: 'GET', path })).items;
}

/** A port of 127.0.0.1 that remembers who called. */
export async function listenForCallers(): Promise<{
  readonly port: number;
  readonly callers: Set<string>;
  readonly close: () => void;
}> {
  const callers = new Set<string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    callers.add(socket.remoteAddress ?? '');
    sockets.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, callers, close };
}
