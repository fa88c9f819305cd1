import { type ChildProcess, spawn } from 'node:child_process';
import { DoctorError } from '@starr/kernel';
import { type OnLine, type OutputTail, createOutputTail } from './output-tail.ts';
import { signalTree } from './process-tree.ts';

const DEFAULT_STOP_WITHIN_MS = 5000;
const DRAIN_WITHIN_MS = 1000;
const TAIL_LINES_IN_ERRORS = 15;

/** What to start and how it ends. */
export interface LeashOptions {
  /** How errors call it, e.g. `postgres 18`. */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole environment of the process; absent: that of the owner. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Run as another user; only root can. Absent: the owner's. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** What asks it to end well. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** After this long an unanswered stop becomes a SIGKILL. Default 5000. */
  readonly stopWithinMs?: number;
  /** What it gets first when its owner is gone; two seconds later, or without this at once, SIGKILL. */
  readonly orphanSignal?: NodeJS.Signals;
  /** Folders that the watcher deletes when the owner is gone; a live owner deletes its own. */
  readonly orphanFolders?: readonly string[];
  /** Every line it prints. The last 200 are kept in any case. */
  readonly onLine?: OnLine;
  /** A longer line is cut. Default 4096. */
  readonly maxLineChars?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that ends, with all its descendants, when its owner ends: also by `kill -9`. */
export interface Leashed {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended, however it ended; never rejects. */
  readonly exited: Promise<Exit>;
  /** Undefined while it runs. */
  exit(): Exit | undefined;
  /** Its last lines, oldest first, at most `count`. */
  tail(count?: number): string;
  readonly output: OutputTail;
  /** Asks it to end and waits; SIGKILL after the bound. Ending what has ended is no error. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** SIGKILL to the whole tree. */
  kill(): Promise<Exit>;
  /** SIGSTOP to the whole tree: it keeps its sockets and answers nothing. */
  pause(): void;
  resume(): void;
}

/**
 * The process waits for one line on fd 3 before it becomes the program. So there is no moment at
 * which it runs and nobody watches: an owner that dies earlier closes the pipe, and it exits.
 */
const GATE = 'read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/**
 * The watcher blocks on a pipe whose other end only the owner holds (Node opens pipes close-on-exec),
 * so it costs nothing until the kernel closes that pipe: at the owner's end, whatever that was.
 * It freezes the tree before it kills it, parents first, so that no child slips away.
 * Arguments: pid, first signal or an empty word, folders to delete.
 */
const WATCHER = `
while read -r _; do :; done
pid=$1; first=$2; shift 2
tree() { for t in /proc/$1/task/*/children; do [ -r "$t" ] && for c in $(cat "$t" 2>/dev/null); do echo "$c"; tree "$c"; done; done; }
if [ -n "$first" ]; then
  kill -s "$first" "$pid" 2>/dev/null
  for each in $(tree "$pid") "$pid"; do kill -s CONT "$each" 2>/dev/null; done
  tries=0
  while kill -s 0 "$pid" 2>/dev/null && [ $tries -lt 20 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
kill -s STOP "$pid" 2>/dev/null
all=$(tree "$pid")
for each in $all; do kill -s STOP "$each" 2>/dev/null; done
for each in $all $(tree "$pid") "$pid" "-$pid"; do kill -s KILL "$each" 2>/dev/null; done
for folder in "$@"; do rm -rf -- "$folder"; done
`;

/** Starts a process on a leash. Throws when the operating system refuses to start one. */
export function startLeashed(options: LeashOptions): Leashed {
  const child = spawn(
    '/bin/sh',
    ['-c', GATE, options.name, options.command, ...(options.args ?? [])],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...options.runAs,
    },
  );
  const output = createOutputTail(child, options.maxLineChars);
  if (options.onLine !== undefined) output.subscribe(options.onLine);
  const pid = child.pid;
  if (pid === undefined) throw failedSpawn(options.name, child);
  const watcher = spawn(
    '/bin/sh',
    [
      '-c',
      WATCHER,
      'leash',
      String(pid),
      wordOf(options.orphanSignal),
      ...(options.orphanFolders ?? []),
    ],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
  );
  if (watcher.pid === undefined) {
    child.kill('SIGKILL');
    throw failedSpawn(`${options.name}'s watcher`, watcher);
  }
  openGate(child);
  return leashedFrom(options, child, pid, output, exitOf(child, pid, watcher));
}

function openGate(child: ChildProcess): void {
  const gate = child.stdio[3];
  if (gate === null || gate === undefined || !('end' in gate)) return;
  // It may have died before it read: its exit tells more than EPIPE.
  gate.on('error', () => undefined);
  gate.end('go\n');
}

/** Resolves after the last output has been read, or a moment later when somebody keeps the pipes open. */
function exitOf(child: ChildProcess, pid: number, watcher: ChildProcess): Promise<Exit> {
  watcher.stdin?.on('error', () => undefined);
  return new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(pid, 'SIGKILL'); // what it left behind
      // The watcher dies before its pipe closes, so that it never signals a pid that is used again.
      watcher.kill('SIGKILL');
      const drop = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN_WITHIN_MS);
      child.once('close', () => {
        clearTimeout(drop);
        resolve({ code, signal });
      });
    });
  });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // nobody is left in it
  }
}

function leashedFrom(
  options: LeashOptions,
  child: ChildProcess,
  pid: number,
  output: OutputTail,
  exited: Promise<Exit>,
): Leashed {
  // Node has reaped it as soon as one of the two is set; from then on the pid may be someone else's.
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = (): Promise<Exit> => {
    if (!ended()) signalTree(pid, 'SIGKILL');
    return exited;
  };
  return {
    name: options.name,
    pid,
    exited,
    output,
    exit: () => (ended() ? { code: child.exitCode, signal: child.signalCode } : undefined),
    tail: (count = TAIL_LINES_IN_ERRORS) => output.lines.slice(-count).join('\n'),
    kill,
    pause: () => {
      if (!ended()) signalTree(pid, 'SIGSTOP');
    },
    resume: () => {
      if (!ended()) signalTree(pid, 'SIGCONT');
    },
    async stop(signal = options.stopSignal ?? 'SIGTERM') {
      if (ended()) return exited;
      child.kill(signal);
      signalTree(pid, 'SIGCONT'); // a paused process hears no signal but SIGKILL
      const late = setTimeout(() => void kill(), options.stopWithinMs ?? DEFAULT_STOP_WITHIN_MS);
      try {
        return await exited;
      } finally {
        clearTimeout(late);
      }
    },
  };
}

function wordOf(signal: NodeJS.Signals | undefined): string {
  return signal?.replace(/^SIG/, '') ?? '';
}

function failedSpawn(name: string, child: ChildProcess): DoctorError {
  child.on('error', () => undefined); // the same failure, told again
  return new DoctorError('INTERNAL', {
    message: `${name} could not be started: the system refused a new process`,
  });
}
