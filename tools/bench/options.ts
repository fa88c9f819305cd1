export interface BenchOptions {
  /** Of each comparison; default 10. */
  readonly rounds: number;
  /** Default: everything. */
  readonly parts: ReadonlySet<BenchPart>;
  readonly withJaeger: boolean;
}

export type BenchPart = 'sweep' | 'micro' | 'postgres' | 'policies';
const PARTS: readonly BenchPart[] = ['sweep', 'micro', 'postgres', 'policies'];
const LEAST_ROUNDS = 3;
const USAGE =
  'npm run bench -- [--rounds 10] [--only sweep|micro|postgres|policies] [--without jaeger]';

/** What is not known is said with what is allowed. */
export function parseBenchArgs(args: readonly string[]): BenchOptions | { readonly fault: string } {
  let rounds = 10;
  let parts: ReadonlySet<BenchPart> = new Set(PARTS);
  let withJaeger = true;
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const value = rest.shift() ?? '';
    if (arg === '--rounds') {
      rounds = Number(value);
      if (!Number.isInteger(rounds) || rounds < LEAST_ROUNDS)
        return { fault: `--rounds is "${value}"; allowed: a number from ${LEAST_ROUNDS}` };
    } else if (arg === '--only') {
      const part = PARTS.find((each) => each === value);
      if (part === undefined)
        return { fault: `--only is "${value}"; allowed: ${PARTS.join(', ')}` };
      parts = new Set([part]);
    } else if (arg === '--without') {
      if (value !== 'jaeger') return { fault: `--without is "${value}"; allowed: jaeger` };
      withJaeger = false;
    } else {
      return { fault: `argument is "${arg}"; allowed: --rounds, --only, --without\n${USAGE}` };
    }
  }
  return { rounds, parts, withJaeger };
}
