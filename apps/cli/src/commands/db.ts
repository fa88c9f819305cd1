import { Command } from 'commander';
import { isBlindSpot } from '@starr/kernel';
import { readConfigOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { lockForestText } from '../render/lock-forest-text.ts';
import { connectDb } from '../services.ts';

export function dbCommand(context: CommandContext): Command {
  return new Command('db')
    .description('what a PostgreSQL server shows beyond the verdicts of its checks')
    .addCommand(locksCommand(context));
}

function locksCommand(context: CommandContext): Command {
  return new Command('locks')
    .description('who waits for whom, as a tree: whose end frees how many, and what it loses')
    .argument('<target>', 'its name in starr.yaml')
    .option('--json', 'the forest as JSON')
    .action(async (target: string, { json = false }: { json?: boolean }) => {
      const db = connectDb(target, await readConfigOf(context));
      try {
        const forest = await db.lockForest(target, context.signal);
        context.terminal.print(
          json ? JSON.stringify(forest, null, 2) : lockForestText(target, forest),
        );
        context.endWith(
          isBlindSpot(forest) ? EXIT.blind : forest.nodes.length === 0 ? EXIT.seen : EXIT.found,
        );
      } finally {
        db.close();
      }
    });
}
