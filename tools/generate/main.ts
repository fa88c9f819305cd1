import { execFileSync } from 'node:child_process';
import { writeAnswerPage } from './answer-page.ts';
import { writeCatalogPages } from './catalog-pages.ts';
import { writeCliPage } from './cli-page.ts';
import { writeConfigurationPage } from './configuration-page.ts';
import { writeErrorsPage } from './errors-page.ts';

/** Everything generated and committed, in one go; `npm test` compares the result with what is committed. */
execFileSync('buf', ['lint'], { stdio: 'inherit' });
// Health is served by a package of its own; its file is here for reflection alone.
execFileSync('buf', ['generate', '--exclude-path', 'proto/grpc'], { stdio: 'inherit' });
execFileSync('buf', ['build', '--as-file-descriptor-set', '-o', 'libs/wire/descriptors.binpb'], {
  stdio: 'inherit',
});
await writeCatalogPages();
await writeErrorsPage();
await writeAnswerPage();
await writeCliPage();
await writeConfigurationPage();
