import { describe } from '@jest/globals';
import { installHypopg } from '@starr/lab';

const found = await installHypopg();
if (found.kind === 'missing') process.stderr.write(`HypoPG: ${found.why}\n`);

/** Skipped, with the reason, where there is no HypoPG; with CI=true that fails. */
export const onHypopg =
  found.kind === 'present' || process.env['CI'] === 'true' ? describe : describe.skip;
