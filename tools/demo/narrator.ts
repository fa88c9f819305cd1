import { styleText } from 'node:util';

/** Tells what happens: on stdout the story and what `starr` printed, on stderr the progress of set-up. */
export interface Narrator {
  act(title: string): void;
  step(says: string): void;
  /** A command as a person would type it, and what it printed. */
  command(line: string, output: string): void;
  setup(says: string): void;
}

export function createNarrator(): Narrator {
  const startedAtMs = performance.now();
  const clock = () => `${((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(6)} s`;
  const styled = (format: Parameters<typeof styleText>[0], text: string) =>
    process.stdout.isTTY ? styleText(format, text) : text;
  return {
    act(title) {
      console.log(`\n${styled(['bold', 'underline'], title)}\n`);
    },
    step(says) {
      console.log(styled('dim', `${clock()}  ${says}`));
    },
    command(line, output) {
      console.log(`\n${styled('bold', `$ ${line}`)}\n${output.trimEnd()}\n`);
    },
    setup(says) {
      process.stderr.write(
        process.stderr.isTTY ? `\r\x1b[K${clock()}  ${says}` : `${clock()}  ${says}\n`,
      );
    },
  };
}
