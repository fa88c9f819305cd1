import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { DoctorError } from '@starr/kernel';

// Below the kernel's range for outgoing connections (32768 and up), so that no client of ours
// takes the port between this look and the server's bind.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 50;
/** From the look to the bind of the slowest server that is told its port beforehand. */
const PROMISED_MS = 60_000;

/**
 * A TCP port that nobody listens on at this moment, and that nobody who asks here gets for a minute, in whatever
 * process. A stranger may still take it first: a server that fails to bind is started again with another one.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await canBind(host, port)) && (await claim(port))) return port;
  }
  throw new DoctorError('INTERNAL', {
    message: `no free port on ${host} between ${LOWEST} and ${HIGHEST} in ${ATTEMPTS} attempts`,
  });
}

/**
 * The UDP port of the same number is held instead of a file: it hinders no TCP server, and is let go with the process,
 * however that ends. False: somebody else has claimed it.
 */
function claim(port: number): Promise<boolean> {
  const held = createSocket('udp4').unref();
  return new Promise((resolve) => {
    held.once('error', (error: NodeJS.ErrnoException) => {
      // Where no such socket may be had nothing can be promised, and the look must do.
      resolve(error.code !== 'EADDRINUSE');
    });
    held.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      setTimeout(() => held.close(), PROMISED_MS).unref();
      resolve(true);
    });
  });
}

function canBind(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
