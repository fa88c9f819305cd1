import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';

type MakeCommand = (context: CommandContext) => Command;

/** Each in the order of the help. A command is loaded when it is asked for: what `up` needs would delay every sweep. */
const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  up: async () => (await import('./commands/up.ts')).upCommand,
  sweep: async () => (await import('./commands/sweep.ts')).sweepCommand,
  show: async () => (await import('./commands/show.ts')).showCommand,
  plan: async () => (await import('./commands/plan.ts')).planCommand,
  apply: async () => (await import('./commands/apply.ts')).applyCommand,
  undo: async () => (await import('./commands/plan.ts')).undoCommand,
  report: async () => (await import('./commands/report.ts')).reportCommand,
  health: async () => (await import('./commands/health.ts')).healthCommand,
  catalog: async () => (await import('./commands/catalog.ts')).catalogCommand,
  trace: async () => (await import('./commands/trace.ts')).traceCommand,
  db: async () => (await import('./commands/db.ts')).dbCommand,
  grants: async () => (await import('./commands/grants.ts')).grantsCommand,
  accept: async () => (await import('./commands/accept.ts')).acceptCommand,
  playbook: async () => (await import('./commands/playbook.ts')).playbookCommand,
  token: async () => (await import('./commands/token.ts')).tokenCommand,
};

/** Those that the arguments name, wherever they stand; all for the help, and for what is none. */
function loadCommands(args: readonly string[]): Promise<readonly MakeCommand[]> {
  const named = Object.entries(COMMANDS).filter(([name]) => args.includes(name));
  const chosen = named.length > 0 && !args.includes('help') ? named : Object.entries(COMMANDS);
  return Promise.all(chosen.map(([, load]) => load()));
}

/** The `starr` command: renders, never judges. */
export async function createProgram(
  context: Omit<CommandContext, 'config'>,
  args: readonly string[],
): Promise<Command> {
  const program = new Command('starr')
    .description(
      'what people on call reach for first: one sweep, ranked causes, exact remedies, proof',
    )
    .option('-c, --config <file>', 'starr.yaml (default: STARR_CONFIG, else ./starr.yaml)')
    .showHelpAfterError('(starr --help shows what is allowed)')
    .configureOutput({
      writeOut: (text) => {
        context.terminal.print(text.trimEnd());
      },
      writeErr: (text) => {
        context.terminal.note(text.trimEnd());
      },
    })
    .exitOverride();
  const whole: CommandContext = {
    ...context,
    config: () => program.opts<{ config?: string }>().config,
  };
  for (const make of await loadCommands(args)) program.addCommand(inherit(make(whole), program));
  return program;
}

/** Subcommands made apart do not inherit what was configured on the program. */
function inherit(command: Command, program: Command): Command {
  command.copyInheritedSettings(program);
  for (const sub of command.commands) inherit(sub, program);
  return command;
}
