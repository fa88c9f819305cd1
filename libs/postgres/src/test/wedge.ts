import { connect } from 'node:net';
import { once } from 'node:events';
import type { LabPostgres } from '@starr/lab';

/** A session that sent Parse and Bind without Sync: active, waiting for its client, and no cancel reaches it. */
export async function wedge(
  server: LabPostgres,
  { user, application, sql }: { user: string; application: string; sql: string },
): Promise<{ end(): void }> {
  const socket = connect(server.port, server.host);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const parameters = ['user', user, 'database', 'postgres', 'application_name', application];
  const body = Buffer.from(`${parameters.join('\0')}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(196_608, 4);
  socket.write(Buffer.concat([head, body]));
  await readyForQuery(socket);
  socket.write(
    Buffer.concat([
      message('P', Buffer.concat([text(''), text(sql), Buffer.alloc(2)])),
      message('B', Buffer.concat([text(''), text(''), Buffer.alloc(6)])),
      message('H', Buffer.alloc(0)),
    ]),
  );
  await once(socket, 'data');
  return {
    end: () => {
      socket.destroy();
    },
  };
}

async function readyForQuery(socket: NodeJS.ReadableStream): Promise<void> {
  let seen = Buffer.alloc(0);
  while (!seen.includes(Buffer.from('Z\0\0\0\u0005I', 'latin1'))) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    seen = Buffer.concat([seen, chunk]);
  }
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}
