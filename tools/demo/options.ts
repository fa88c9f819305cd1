/** Parts of the lab that may be left out. */
export type Part = 'kubernetes' | 'jaeger';
const PARTS: readonly Part[] = ['kubernetes', 'jaeger'];

export interface DemoOptions {
  /** The first act only. */
  readonly quick: boolean;
  readonly without: ReadonlySet<Part>;
}

const USAGE = 'npm run demo -- [--quick] [--without kubernetes,jaeger]';

/** What is not known is said with what is allowed. */
export function parseDemoArgs(args: readonly string[]): DemoOptions | { readonly fault: string } {
  let quick = false;
  const without = new Set<Part>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--quick') quick = true;
    else if (arg === '--without') {
      for (const name of (rest.shift() ?? '').split(',')) {
        const part = PARTS.find((each) => each === name);
        if (part === undefined)
          return { fault: `--without is "${name}"; allowed: ${PARTS.join(', ')}` };
        without.add(part);
      }
    } else return { fault: `argument is "${arg}"; allowed: --quick, --without\n${USAGE}` };
  }
  return { quick, without };
}
