import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { acceptCommand } from './commands/accept.ts';
import { applyCommand } from './commands/apply.ts';
import { catalogCommand } from './commands/catalog.ts';
import { grantsCommand } from './commands/grants.ts';
import { healthCommand } from './commands/health.ts';
import { planCommand, undoCommand } from './commands/plan.ts';
import { playbookCommand } from './commands/playbook.ts';
import { reportCommand } from './commands/report.ts';
import { showCommand } from './commands/show.ts';
import { sweepCommand } from './commands/sweep.ts';
import { tokenCommand } from './commands/token.ts';
import { traceCommand } from './commands/trace.ts';
import { upCommand } from './commands/up.ts';

const COMMANDS = [
  upCommand,
  sweepCommand,
  showCommand,
  planCommand,
  applyCommand,
  undoCommand,
  reportCommand,
  healthCommand,
  catalogCommand,
  traceCommand,
  grantsCommand,
  acceptCommand,
  playbookCommand,
  tokenCommand,
] as const;

/** The `starr` command: renders, never judges. */
export function createProgram(context: Omit<CommandContext, 'config'>): Command {
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
  for (const make of COMMANDS) program.addCommand(inherit(make(whole), program));
  return program;
}

/** Subcommands made apart do not inherit what was configured on the program. */
function inherit(command: Command, program: Command): Command {
  command.copyInheritedSettings(program);
  for (const sub of command.commands) inherit(sub, program);
  return command;
}
