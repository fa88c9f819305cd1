import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildGoTools } from '../go-tools.ts';
import { onFreePorts } from '../on-free-ports.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import type { ControlPlaneTuning, Ports } from './component-flags.ts';
import {
  type ControlPlaneFiles,
  kubeconfigText,
  writeControlPlaneFiles,
} from './control-plane-files.ts';
import { type ControlPlane, freePorts, startControlPlane } from './control-plane.ts';
import { type KubeApi, createKubeApi } from './kube-api.ts';

export interface KubernetesOptions extends ControlPlaneTuning {
  /** Static users beside `admin` (all rights) and `diagnoser` (none until it is bound a role). */
  readonly users?: readonly string[];
}

/** A throw-away cluster on 127.0.0.1: a real control plane, and nodes once a node agent joins. */
export interface LabKubernetes extends ControlPlane, AsyncDisposable {
  readonly url: string;
  readonly caPem: string;
  /** Path of a kubeconfig with all rights. */
  readonly adminKubeconfig: string;
  readonly dataFolder: string;
  /** The authority that nodes get their certificates from. */
  readonly files: ControlPlaneFiles;
  readonly ports: Ports;
  tokenOf(user: string): string;
  /** Writes a kubeconfig for a static user and returns its path. Default namespace `default`. */
  kubeconfigFor(user: string, namespace?: string): Promise<string>;
  /** A client of its own connections; closed by `stop` at the latest. Default `admin`. */
  api(user?: string): KubeApi;
}

/**
 * Starts etcd, the API server, the controller manager and the scheduler: seconds, once they are compiled.
 * Rejects when they are not and this machine cannot: ask `buildGoTools` first to know.
 */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<LabKubernetes> {
  const tools = await buildGoTools('kubernetes');
  if (tools.kind === 'missing') throw new Error(`no Kubernetes: ${tools.why}`);
  return onFreePorts(freePorts, (ports) => startOnce(tools.folder, ports, options));
}

async function startOnce(
  programs: string,
  ports: Ports,
  options: KubernetesOptions,
): Promise<LabKubernetes> {
  const folder = await makeTemporaryFolder('kubernetes');
  try {
    const files = await writeControlPlaneFiles(join(folder.path, 'pki'), options.users ?? []);
    const access = { url: `https://127.0.0.1:${ports['kube-apiserver']}`, caPem: files.caPem };
    const kubeconfigFor = kubeconfigWriter(join(folder.path, 'pki'), access, files);
    const plane = await startControlPlane({
      programs,
      ports,
      files,
      caPem: files.caPem,
      folder: folder.path,
      etcdFolder: join(folder.path, 'etcd'),
      kubeconfigs: {
        'kube-controller-manager': await kubeconfigFor('system:kube-controller-manager'),
        'kube-scheduler': await kubeconfigFor('system:kube-scheduler'),
      },
      tuning: options,
    });
    return labFrom({
      plane,
      files,
      ports,
      ...access,
      kubeconfigFor,
      adminKubeconfig: await kubeconfigFor('admin'),
      folder,
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

interface Parts {
  readonly plane: ControlPlane;
  readonly files: ControlPlaneFiles;
  readonly ports: Ports;
  readonly url: string;
  readonly caPem: string;
  readonly kubeconfigFor: LabKubernetes['kubeconfigFor'];
  readonly adminKubeconfig: string;
  readonly folder: { readonly path: string; remove(): Promise<void> };
}

function labFrom({ plane, folder, ...parts }: Parts): LabKubernetes {
  const clients: KubeApi[] = [];
  const stop = async (): Promise<void> => {
    for (const client of clients) client.close();
    await plane.stop();
    await folder.remove();
  };
  return {
    ...plane,
    ...parts,
    dataFolder: folder.path,
    tokenOf: (user) => userOf(parts.files, user).token,
    api: (user = 'admin') => {
      const { token } = userOf(parts.files, user);
      const client = createKubeApi({ url: parts.url, caPem: parts.caPem, token });
      clients.push(client);
      return client;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function kubeconfigWriter(
  folder: string,
  access: { readonly url: string; readonly caPem: string },
  files: ControlPlaneFiles,
): LabKubernetes['kubeconfigFor'] {
  return async (user, namespace) => {
    const { token } = userOf(files, user);
    const place = namespace === undefined ? {} : { namespace };
    const suffix = namespace === undefined ? '' : `.${namespace}`;
    const path = join(folder, `${user.replaceAll(':', '-')}${suffix}.kubeconfig`);
    await writeFile(path, kubeconfigText({ ...access, user, token, ...place }), { mode: 0o600 });
    return path;
  };
}

function userOf(files: ControlPlaneFiles, name: string): { readonly token: string } {
  const user = files.users.get(name);
  if (user === undefined) {
    throw new Error(
      `no user ${name} in this cluster; there are ${[...files.users.keys()].join(', ')}`,
    );
  }
  return user;
}
