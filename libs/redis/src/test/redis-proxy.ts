import { connect, createServer, type Socket } from 'node:net';

/** Stands between client and server, and loses what a test wants lost. */
export interface RedisProxy extends AsyncDisposable {
  readonly url: string;
}

export type Loss =
  /** The connection breaks when this word is sent, before the server gets it. */
  | { readonly losing: 'request'; readonly word: string }
  /** The server gets it, and the connection breaks instead of bringing the answer. */
  | { readonly losing: 'answer'; readonly word: string }
  /** The server gets it, and no answer ever comes. */
  | { readonly losing: 'everything-after'; readonly word: string };

/** The word is that of a command as it is sent, e.g. `EXEC`. */
export async function startRedisProxy(port: number, loss: Loss): Promise<RedisProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    const upstream = keep(connect(port, '127.0.0.1'));
    let lost = false;
    client.on('data', (data) => {
      const meets = data.toString('latin1').toUpperCase().includes(`\r\n${loss.word}\r\n`);
      if (meets && loss.losing === 'request') {
        client.destroy();
        upstream.destroy();
        return;
      }
      lost ||= meets;
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!lost) client.write(data);
      else if (loss.losing === 'answer') client.destroy();
    });
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `redis://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}
