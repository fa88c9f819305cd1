import type { GuideCommand, GuideProgram } from './guide-commands.ts';
import { runCommand, type CommandLine } from './run-command.ts';

export type ProgramPaths = Readonly<Record<GuideProgram, string>>;

/** The guide's commands as processes that can be run. */
export interface GuideScript {
  readonly commands: readonly GuideCommand[];
  readonly lines: readonly CommandLine[];
  /** One after another, as a person works through the guide. Milliseconds. */
  inSequence(): Promise<number>;
  /** All started together; ends with the slowest. Milliseconds. */
  allAtOnce(): Promise<number>;
  /** Each once without its filter: one that fails is quick for the wrong reason. Rejects with its words. */
  prove(): Promise<void>;
}

export function createGuideScript(
  commands: readonly GuideCommand[],
  paths: ProgramPaths,
): GuideScript {
  const lines = commands.map((command) => lineOf(command, paths));
  return {
    commands,
    lines,
    async inSequence() {
      const startedAtMs = performance.now();
      for (const line of lines) await runCommand(line);
      return performance.now() - startedAtMs;
    },
    async allAtOnce() {
      const startedAtMs = performance.now();
      await Promise.all(lines.map(runCommand));
      return performance.now() - startedAtMs;
    },
    async prove() {
      for (const { filter: _, ...command } of commands) await proveOne(command, paths);
    },
  };
}

/** With a filter it is a pipe of a shell, as in the guide. */
function lineOf(command: GuideCommand, paths: ProgramPaths): CommandLine {
  const { args, env, filter } = command;
  const program = paths[command.program];
  if (filter === undefined) return { program, args, env };
  return { program: 'sh', args: ['-c', `"$0" "$@" | ${filter}`, program, ...args], env };
}

async function proveOne(command: GuideCommand, paths: ProgramPaths): Promise<void> {
  const { code, stdout, stderr } = await runCommand(lineOf(command, paths));
  // no events in the namespace is an answer, and kubectl gives it on stderr
  const isEmptyAnswer = stderr.startsWith('No resources found');
  if (code === 0 && (stdout !== '' || isEmptyAnswer)) return;
  const words = [command.program, ...command.args].join(' ');
  throw new Error(`the guide's command failed (${code}): ${words}\n${stderr || '(no output)'}`);
}
