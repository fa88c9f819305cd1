import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Held by at most one process of the machine at a time; goes with its holder, whatever ends that. */
export interface BuildLock {
  /** Tells those who wait what the holder is doing. */
  say(line: string): void;
  release(): Promise<void>;
}

/**
 * Waits until nobody else builds `name`, and holds it then. The lock is a listening abstract Unix socket:
 * the kernel gives it to one process and takes it back when that process ends, so there is no stale lock
 * to judge, and those who wait are connected to the holder and hear its progress.
 */
export async function becomeOneBuilder(
  name: string,
  onWaiting: (line: string) => void,
  signal: AbortSignal,
): Promise<BuildLock> {
  // hashed: such an address has at most 107 bytes, and a name may be a path
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32);
  const address = `\0starr-lab/${hash}`;
  for (;;) {
    signal.throwIfAborted();
    const listeners = new Set<Socket>();
    const server = createServer((socket) => {
      listeners.add(socket);
      socket.on('error', () => undefined).on('close', () => listeners.delete(socket));
    });
    if (await listens(server, address)) return lockFrom(server, listeners);
    await heard(address, onWaiting, signal);
  }
}

function lockFrom(server: Server, listeners: ReadonlySet<Socket>): BuildLock {
  server.unref();
  return {
    say: (line) => {
      for (const socket of listeners) socket.write(`${line}\n`);
    },
    release: () =>
      new Promise((resolve) => {
        for (const socket of listeners) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function listens(server: Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(address, () => {
      resolve(true);
    });
  });
}

/** Until the holder lets go or ends. */
function heard(
  address: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const leave = (): void => {
      socket.destroy();
    };
    signal.addEventListener('abort', leave);
    let rest = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
    // an error (it let go just now) is followed by close as well
    socket
      .on('error', () => undefined)
      .on('close', () => {
        signal.removeEventListener('abort', leave);
        resolve();
      });
  });
}
