import { toDoctorError } from '@starr/kernel';
import { createLog, stopTelemetry } from '@starr/telemetry';

/** What runs until it is told to stop. */
export interface Running {
  /** Said on the line that tells the supervisor that the service answers. */
  readonly port: number;
  stop(): Promise<void>;
}

export interface RunOptions {
  readonly service: string;
  /** `starr up` holds the other end of stdin: when it is gone, even by kill -9, so are we. */
  readonly endsWithStdin: boolean;
  readonly start: () => Promise<Running>;
}

const EXIT = { ended: 0, failed: 1 } as const;

/** The life of a service process: start, say so, stop once on SIGTERM, SIGINT or the parent's end. */
export async function runService({ service, endsWithStdin, start }: RunOptions): Promise<void> {
  const log = createLog(service);
  process.on('unhandledRejection', (reason) => {
    log.log('error', 'unhandled rejection', {
      error: reason instanceof Error ? (reason.stack ?? reason.message) : String(reason),
    });
    process.exitCode = EXIT.failed;
  });
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => {
        resolve();
      });
    if (endsWithStdin)
      process.stdin
        .resume()
        .once('end', () => {
          resolve();
        })
        .once('error', () => {
          resolve();
        });
  });
  try {
    const running = await start();
    process.stdout.write(`${JSON.stringify({ ready: service, port: running.port })}\n`);
    await stopped;
    await running.stop();
  } catch (thrown) {
    const error = toDoctorError(thrown);
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    log.log('error', 'cannot start', { code: error.code, error: error.rawMessage, cause });
    process.exitCode = EXIT.failed;
  }
  await stopTelemetry();
  process.exit();
}
