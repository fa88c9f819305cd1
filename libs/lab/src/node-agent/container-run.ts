import { type Leashed, startLeashed } from '../leash.ts';
import { type End, endOfProcess } from './container-end.ts';
import type { ContainerLog } from './container-log.ts';
import type { PodEvent } from './event-recorder.ts';
import { parseQuantity, watchMemory } from './memory-limit.ts';
import type { Launch, PodPlace } from './pod-env.ts';
import type { Container, Pod, Probe } from './pod-types.ts';
import { type Prober, startProber } from './prober.ts';

/** The pod's own grace bounds a stop, not the leash's. */
const NO_BOUND_MS = 2 ** 31 - 1;
/** A stack trace in one JSON line is longer than a server's last words. */
const MAX_LINE_CHARS = 64 * 1024;

export interface RunOptions {
  readonly pod: Pod;
  readonly container: Container;
  readonly place: PodPlace;
  readonly launch: Launch;
  readonly log: ContainerLog;
  /** The readiness probe turned. Never called without one. */
  readonly onReady: (ready: boolean) => void;
  readonly say: (type: PodEvent['type'], reason: string, message: string) => void;
}

/** One life of a container's process, with its probes and its memory limit. */
export interface ContainerRun {
  readonly process: Leashed;
  /** Resolves when the process is gone and its log is whole. */
  readonly ended: Promise<End>;
  /** SIGTERM, and SIGKILL after the grace. */
  stop(graceMs: number): Promise<void>;
}

export function runContainer(options: RunOptions): ContainerRun {
  const { launch, log, pod, container } = options;
  const process = startLeashed({
    name: `${pod.metadata.name}/${container.name}`,
    command: launch.command,
    args: launch.args,
    env: { ...launch.env },
    stopWithinMs: NO_BOUND_MS,
    maxLineChars: MAX_LINE_CHARS,
    onLine: (line, stream) => {
      log.append(stream, line);
    },
    ...(launch.workingDir === undefined ? {} : { cwd: launch.workingDir }),
  });
  const stop = async (graceMs: number): Promise<void> => {
    if (process.exit() !== undefined) return;
    const late = setTimeout(() => void process.kill(), graceMs);
    await process.stop();
    clearTimeout(late);
  };
  return { process, ended: endOf(process, options, stop), stop };
}

async function endOf(
  process: Leashed,
  options: RunOptions,
  stop: ContainerRun['stop'],
): Promise<End> {
  let isOutOfMemory = false;
  const limit = parseQuantity(options.container.resources?.limits?.['memory'] ?? '');
  const unwatch =
    limit === undefined
      ? () => undefined
      : watchMemory(process.pid, limit, () => {
          isOutOfMemory = true;
          void process.kill();
        });
  const probers = [...readinessProber(options), ...livenessProber(options, stop)];
  const exit = await process.exited;
  unwatch();
  for (const prober of probers) prober.stop();
  await options.log.close();
  return endOfProcess(exit, isOutOfMemory);
}

function readinessProber(options: RunOptions): Prober[] {
  return proberOf('Readiness', options.container.readinessProbe, options, options.onReady);
}

function livenessProber(options: RunOptions, stop: ContainerRun['stop']): Prober[] {
  const { pod, container, say } = options;
  return proberOf('Liveness', container.livenessProbe, options, (healthy) => {
    if (healthy) return;
    say(
      'Normal',
      'Killing',
      `Container ${container.name} failed liveness probe, will be restarted`,
    );
    void stop((pod.spec.terminationGracePeriodSeconds ?? 30) * 1000);
  });
}

function proberOf(
  kind: 'Readiness' | 'Liveness',
  probe: Probe | undefined,
  { container, place, say }: RunOptions,
  onTurn: (healthy: boolean) => void,
): Prober[] {
  if (probe === undefined) return [];
  const onFailure = (says: string): void => {
    say('Warning', 'Unhealthy', `${kind} probe failed: ${says}`);
  };
  return [startProber({ probe, container, podIp: place.podIp, onFailure, onTurn })];
}
