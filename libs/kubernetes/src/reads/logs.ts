import type { BlindSpot, Look, Read } from '@starr/kernel';
import type { Exposure } from '../logs/change-point.ts';
import { parseLogLine, type LogLine } from '../logs/parse-log-line.ts';
import type { ContainerLog, KubernetesRequest, LogsAnswer } from '../request.ts';

/** One container's log with its lines understood. */
export interface LogStream {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly replicaSet?: string;
  readonly previous: boolean;
  readonly remembered: boolean;
  /** When the log is complete. */
  readonly covered: Exposure;
  /** It is complete from the start of the container. */
  readonly fromStart: boolean;
  readonly lineCount: number;
  /** Oldest first. */
  readonly errors: readonly LogLine[];
}

export interface Logs {
  readonly streams: readonly LogStream[];
  readonly blind: readonly BlindSpot[];
}

const TAIL_LINES = 2000;
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_CONTAINERS = 60;
/** What was before the window tells what is new in it. */
const WINDOWS_BACK = 2;

/** The newest lines of every pod's containers, current and previous, bounded; masked where they are read. */
export const logsRead: Read<Logs, KubernetesRequest> = {
  id: 'k8s.logs',
  timeoutMs: 4000,
  maxRows: MAX_CONTAINERS * TAIL_LINES,
  request: (look: Look) => ({
    kind: 'logs',
    sinceMs: look.windowMs * WINDOWS_BACK,
    tailLines: TAIL_LINES,
    maxBytes: MAX_BYTES,
    maxContainers: MAX_CONTAINERS,
  }),
  parse: (raw) => {
    const answer = raw as LogsAnswer;
    return { streams: answer.logs.map(streamFrom), blind: answer.blind };
  },
};

function streamFrom(log: ContainerLog): LogStream {
  const lines = log.lines.flatMap((line) => parseLogLine(line) ?? []);
  return {
    namespace: log.namespace,
    pod: log.pod,
    container: log.container,
    ...(log.replicaSet !== undefined && { replicaSet: log.replicaSet }),
    previous: log.previous,
    remembered: log.remembered,
    covered: { from: Date.parse(log.coveredFrom), to: Date.parse(log.coveredTo) },
    fromStart: log.fromStart,
    lineCount: lines.length,
    errors: lines
      .filter(({ level }) => level === 'error')
      .sort((a, b) => a.at.getTime() - b.at.getTime()),
  };
}
