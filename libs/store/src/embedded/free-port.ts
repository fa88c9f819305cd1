import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { DoctorError } from '@starr/kernel';

// Below the kernel's range for outgoing connections (32768 and up), so that no client of ours
// takes the port between this look and the server's bind.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 50;

/**
 * A TCP port nobody listens on at this moment. Another process may still take it first: a server that
 * fails to bind is started again with another one.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await canBind(host, port)) return port;
  }
  throw new DoctorError('INTERNAL', {
    message: `no free port on ${host} between ${LOWEST} and ${HIGHEST} in ${ATTEMPTS} attempts`,
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
