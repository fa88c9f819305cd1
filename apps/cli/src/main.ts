import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Most of a short command's time is compiling what it is made of; where the folder cannot be written it is just slower.
enableCompileCache(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'starr/code'));
const { startCli } = await import('./start-cli.ts');
process.exitCode = await startCli(process.argv.slice(2), process.env);
// Whoever waits for the prompt does not wait for spans that a Jaeger does not take.
process.stdout.write('', () => process.exit());
