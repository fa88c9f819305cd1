/** What `npm run game-day` was asked for. */
export interface GameDayOptions {
  readonly seed: number;
  /** Empty: all. */
  readonly only: readonly string[];
  /** Prints what `starr` said also where all went as it should. */
  readonly verbose: boolean;
}

const USAGE = 'npm run game-day -- [--seed N] [--verbose] [scenario …]';

/** What is not known is said with what is allowed. `draw` gives the seed where none is named. */
export function parseGameDayArgs(
  args: readonly string[],
  known: readonly string[],
  draw: () => number,
): GameDayOptions | { readonly fault: string } {
  let seed: number | undefined;
  let verbose = false;
  const only: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--verbose') verbose = true;
    else if (arg === '--seed') {
      const text = rest.shift() ?? '';
      if (!/^\d{1,9}$/.test(text))
        return { fault: `--seed is "${text}"; allowed: a whole number, 0 to 999999999` };
      seed = Number(text);
    } else if (known.includes(arg)) only.push(arg);
    else if (arg.startsWith('--'))
      return { fault: `argument is "${arg}"; allowed: --seed, --verbose\n${USAGE}` };
    else return { fault: `scenario is "${arg}"; allowed: ${known.join(', ')}` };
  }
  return { seed: seed ?? draw(), only, verbose };
}
