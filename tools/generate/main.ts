import { execFileSync } from 'node:child_process';

/** Everything generated and committed, in one go; `npm test` compares the result with what is committed. */
execFileSync('buf', ['lint'], { stdio: 'inherit' });
execFileSync('buf', ['generate'], { stdio: 'inherit' });
execFileSync('buf', ['build', '--as-file-descriptor-set', '-o', 'libs/wire/descriptors.binpb'], {
  stdio: 'inherit',
});
