import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { readFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { DoctorError } from '@starr/kernel';
import type { KubernetesAccess } from '../kubernetes-config.ts';
import { errorFromThrown } from './k8s-error.ts';
import { exchange, type HttpAnswer, type HttpRequest, type HttpTarget } from './http.ts';

/** Connections to one API server under one account. Owns its sockets; `close` ends them. */
export interface Connection {
  /** Rejects with DoctorError when the credential cannot be had; with what happened when the connection fails. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Reads the credential again before the next request: it may have been renewed. */
  forgetCredential(): void;
  close(): void;
}

const MAX_SOCKETS = 4;
/** How long headers and certificates are used before they are asked for again; tokens expire within minutes at the least. */
const CREDENTIAL_TTL_MS = 10_000;

/** What the driver falls back to when it has found nothing: an address that nobody has named. */
const DRIVER_GUESS = 'http://localhost:8080';

export function createConnection(access: KubernetesAccess): Connection {
  const credential = createCredential(access);
  return {
    async send(request) {
      return exchange(await unlessAborted(credential.target(), request.signal), request);
    },
    forgetCredential: () => {
      credential.forget();
    },
    close: () => {
      credential.close();
    },
  };
}

interface Credential {
  target(): Promise<HttpTarget>;
  forget(): void;
  close(): void;
}

function createCredential(access: KubernetesAccess): Credential {
  let config: Promise<KubeConfig> | undefined;
  let held: { readonly target: Promise<HttpTarget>; until: number } | undefined;
  let pool: { readonly print: string; readonly agent: HttpAgent } | undefined;

  const load = async (): Promise<HttpTarget> => {
    try {
      // kept, since it remembers what an exec plugin answered until that expires
      config ??= loadConfig(access);
      const { server, proxy, options } = await optionsFrom(await config, access);
      const print = JSON.stringify([server, proxy, tlsOf(options)]);
      if (pool?.print !== print) {
        if (pool) endIdle(pool.agent);
        pool = { print, agent: agentFor(server, proxy, options) };
      }
      return { server, agent: pool.agent, headers: headersOf(options) };
    } catch (thrown) {
      config = undefined;
      held = undefined; // a credential that could not be had is asked for again by the next request
      throw errorFromThrown(thrown, 'load the credential');
    }
  };

  /** One load at a time, however long it takes: an exec plugin that hangs is not started again. */
  const hold = (): Promise<HttpTarget> => {
    const target = load();
    const fresh = { target, until: Number.POSITIVE_INFINITY };
    held = fresh;
    const settled = () => (fresh.until = performance.now() + CREDENTIAL_TTL_MS);
    target.then(settled, settled);
    return target;
  };

  return {
    target() {
      return held && held.until >= performance.now() ? held.target : hold();
    },
    forget() {
      config = undefined;
      held = undefined;
    },
    close() {
      pool?.agent.destroy();
    },
  };
}

/** An exec plugin may hang (a browser login): the deadline holds for it too. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      reject(
        new DoctorError('EVIDENCE_TIMEOUT', { message: 'The credential was not had in time' }),
      );
    };
    if (signal.aborted) {
      aborted();
      return;
    }
    signal.addEventListener('abort', aborted, { once: true });
    promise
      .finally(() => {
        signal.removeEventListener('abort', aborted);
      })
      .then(resolve, reject);
  });
}

async function optionsFrom(
  config: KubeConfig,
  access: KubernetesAccess,
): Promise<{ server: URL; proxy: string | undefined; options: RequestOptions }> {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new DoctorError('CONFIG_INVALID', { message: noContext(config, access) });
  if (cluster.server === DRIVER_GUESS) {
    throw new DoctorError('CONFIG_UNREADABLE', {
      message: 'No kubeconfig was found, and this is no pod with an account of its own',
      details: { cure: 'Set `kubeconfig` of the target in starr.yaml' },
    });
  }
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return { server: new URL(cluster.server), proxy: cluster.proxyUrl, options };
}

/** Requests in flight keep their sockets; idle ones are let go when the credential changes. */
function endIdle(agent: HttpAgent): void {
  const idle = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  for (const socket of idle) socket.destroy();
}

async function loadConfig(access: KubernetesAccess): Promise<KubeConfig> {
  const config = new KubeConfig();
  switch (access.kind) {
    case 'kubeconfig':
      if (access.path === undefined) config.loadFromDefault();
      else config.loadFromFile(access.path);
      if (access.context !== undefined) config.setCurrentContext(access.context);
      return config;
    case 'in-cluster':
      config.loadFromCluster();
      return config;
    case 'token': {
      const token =
        access.tokenFile === undefined
          ? access.token
          : (await readFile(access.tokenFile, 'utf8')).trim();
      config.loadFromClusterAndUser(
        {
          name: 'target',
          server: access.server,
          skipTLSVerify: false,
          ...(access.caFile !== undefined && { caFile: access.caFile }),
        },
        { name: 'doctor', ...(token !== undefined && { token }) },
      );
      return config;
    }
  }
}

function noContext(config: KubeConfig, access: KubernetesAccess): string {
  const asked = access.kind === 'kubeconfig' ? (access.context ?? config.getCurrentContext()) : '';
  const known = config.getContexts().map(({ name }) => name);
  return `The kubeconfig has no context ${asked}; it has ${known.join(', ') || 'none'}`;
}

/** The driver's own agent does not keep connections alive; only behind a proxy is it needed. */
function agentFor(server: URL, proxy: string | undefined, options: RequestOptions): HttpAgent {
  if (proxy !== undefined && options.agent instanceof HttpAgent) return options.agent;
  const pool = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return server.protocol === 'http:'
    ? new HttpAgent(pool)
    : new HttpsAgent({ ...pool, ...tlsOf(options) });
}

const TLS_OPTIONS = [
  'ca',
  'cert',
  'key',
  'pfx',
  'passphrase',
  'servername',
  'rejectUnauthorized',
] as const satisfies readonly (keyof RequestOptions)[];

function tlsOf(options: RequestOptions): Readonly<Record<string, unknown>> {
  const tls: Record<string, unknown> = {};
  for (const name of TLS_OPTIONS) if (options[name] !== undefined) tls[name] = options[name];
  return tls;
}

function headersOf(options: RequestOptions): Record<string, string> {
  const { headers, auth } = options;
  const basic = typeof auth === 'string' ? { authorization: basicFrom(auth) } : {};
  const named = Object.entries(headers ?? {}).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return { 'user-agent': 'starr-k8s-doctor', ...basic, ...Object.fromEntries(named) };
}

function basicFrom(auth: string): string {
  return `Basic ${Buffer.from(auth).toString('base64')}`;
}
