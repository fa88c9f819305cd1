import { createInterface } from 'node:readline/promises';

/** Where a command writes: results on stdout, progress and notes on stderr, so that a pipe gets results alone. */
export interface Terminal {
  /** Somebody sits there: motion, colour and questions are possible. */
  readonly isInteractive: boolean;
  readonly isColoured: boolean;
  print(text: string): void;
  note(text: string): void;
  /** Replaces what the last call showed; in a pipe nothing. `undefined` takes it away. */
  progress(text: string | undefined): void;
  ask(question: string): Promise<string>;
}

export async function createTerminal(
  env: Readonly<Record<string, string | undefined>>,
): Promise<Terminal> {
  const { stdin, stdout, stderr } = process;
  const isInteractive = stdin.isTTY && stdout.isTTY;
  const moving = stderr.isTTY ? (await import('log-update')).createLogUpdate(stderr) : undefined;
  return {
    isInteractive,
    isColoured: stdout.isTTY && (env['NO_COLOR'] ?? '') === '',
    print: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    progress(text) {
      if (text === undefined) moving?.clear();
      else moving?.(text);
    },
    async ask(question) {
      const lines = createInterface({ input: stdin, output: stderr });
      try {
        return (await lines.question(question)).trim();
      } finally {
        lines.close();
      }
    },
  };
}
