import { once } from 'node:events';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { limitOf } from './lab-target.ts';

/** A process that carries one act out and tells of it, line by line; it begins at the first word of its owner, and ends with the pipe to it. */
interface Given {
  readonly host: string;
  readonly port: number;
  readonly act: PostgresAct;
  readonly operationId: string;
}

process.stdin.on('end', () => process.exit(0));
const { host, port, act, operationId } = JSON.parse(process.argv[2] ?? '') as Given;
const adapter = createPostgresAdapter({
  host,
  port,
  diagnosing: { user: 'starr' },
  acting: { user: 'starr_act' },
});
// What the act runs into is set up when this process is: its start takes seconds on a busy machine.
await adapter.greet(limitOf({ timeoutMs: 30_000 }));
process.stdout.write('ready\n');
await once(process.stdin, 'data');
for await (const event of adapter.apply(act, operationId, limitOf({ timeoutMs: 60_000 })))
  process.stdout.write(`${JSON.stringify(event)}\n`);
await adapter.close();
process.exit(0);
