import { get } from 'node:http';
import { connect } from 'node:net';
import type { Container, Probe } from './pod-types.ts';

type ProbeAnswer =
  { readonly kind: 'success' } | { readonly kind: 'failure'; readonly says: string };

/** Probes again and again until stopped. Defaults as in the API: period 10 s, time-out 1 s, 3 failures, 1 success. */
export interface Prober {
  stop(): void;
}

export interface ProberOptions {
  readonly probe: Probe;
  readonly container: Container;
  readonly podIp: string;
  /** Each single failure, before the threshold is reached. */
  readonly onFailure: (says: string) => void;
  /** A threshold is reached: the first time, and whenever the result turns. */
  readonly onTurn: (healthy: boolean) => void;
}

export function startProber(options: ProberOptions): Prober {
  const { probe } = options;
  let successes = 0;
  let failures = 0;
  let result: boolean | undefined;
  let stopped = false;
  const turn = (to: boolean): void => {
    if (result === to) return;
    result = to;
    options.onTurn(to);
  };
  const round = async (): Promise<void> => {
    const answer = await probeOnce(options);
    if (stopped) return;
    if (answer.kind === 'success') {
      [successes, failures] = [successes + 1, 0];
      if (successes >= (probe.successThreshold ?? 1)) turn(true);
    } else {
      [successes, failures] = [0, failures + 1];
      options.onFailure(answer.says);
      if (failures >= (probe.failureThreshold ?? 3)) turn(false);
    }
    timer = setTimeout(() => void round(), (probe.periodSeconds ?? 10) * 1000);
  };
  let timer = setTimeout(() => void round(), (probe.initialDelaySeconds ?? 0) * 1000);
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function probeOnce({ probe, container, podIp }: ProberOptions): Promise<ProbeAnswer> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  if (probe.httpGet) {
    const port = portNumber(probe.httpGet.port, container);
    return httpProbe(podIp, port, probe.httpGet.path ?? '/', timeoutMs);
  }
  if (probe.tcpSocket)
    return tcpProbe(podIp, portNumber(probe.tcpSocket.port, container), timeoutMs);
  return Promise.resolve({ kind: 'failure', says: 'this kind of probe is not supported here' });
}

function portNumber(port: number | string, container: Container): number {
  if (typeof port === 'number') return port;
  return container.ports?.find((one) => one.name === port)?.containerPort ?? 0;
}

function httpProbe(
  host: string,
  port: number,
  path: string,
  timeoutMs: number,
): Promise<ProbeAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const url = `http://${host}:${port}${path}`;
  return new Promise((resolve) => {
    get({ host, port, path, signal, agent: false, headers: { 'user-agent': 'kube-probe/1.36' } })
      .on('response', (response) => {
        response.on('error', () => undefined).resume();
        const status = response.statusCode ?? 0;
        resolve(
          status >= 200 && status < 400
            ? { kind: 'success' }
            : { kind: 'failure', says: `HTTP probe failed with statuscode: ${status}` },
        );
      })
      .on('error', (error) => {
        const why = signal.aborted
          ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
          : dialError(host, port, error);
        resolve({ kind: 'failure', says: `Get "${url}": ${why}` });
      });
  });
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (answer: ProbeAnswer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => {
      end({ kind: 'success' });
    });
    socket.on('timeout', () => {
      end({ kind: 'failure', says: `dial tcp ${host}:${port}: i/o timeout` });
    });
    socket.on('error', (error) => {
      end({ kind: 'failure', says: dialError(host, port, error) });
    });
  });
}

function dialError(host: string, port: number, error: NodeJS.ErrnoException): string {
  return error.code === 'ECONNREFUSED'
    ? `dial tcp ${host}:${port}: connect: connection refused`
    : error.message;
}
