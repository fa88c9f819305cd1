import { CommanderError } from 'commander';
import { toDoctorError } from '@starr/kernel';
import type { Env } from './config.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { createProgram } from './program.ts';
import type { Terminal } from './terminal.ts';

export interface CliInput {
  readonly args: readonly string[];
  readonly env: Env;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** One call of `starr`; resolves to its exit code and never rejects. */
export async function runCli({ args, env, terminal, signal }: CliInput): Promise<ExitCode> {
  let code: ExitCode = EXIT.seen;
  try {
    const program = await createProgram(
      {
        terminal,
        env,
        signal,
        endWith: (next) => {
          code = next;
        },
      },
      args,
    );
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (thrown) {
    terminal.progress(undefined);
    // commander has said what it is about already; help and version are no errors
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.seen : EXIT.failed;
    terminal.note(errorText(thrown));
    return EXIT.failed;
  }
}

function errorText(thrown: unknown): string {
  const error = toDoctorError(thrown);
  const cure = error.details['cure'];
  const hint = error.code === 'WIRE_UNREACHABLE' ? ' (is starr up running?)' : '';
  const cause =
    error.code === 'INTERNAL' && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `starr: ${error.message}${cause}${hint}${cure === undefined ? '' : `\n  cure: ${cure}`}`;
}
