import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { freePort } from './free-port.ts';

const SCRIPT = `import { createSocket } from 'node:dgram';
const socket = createSocket('udp4');
socket.on('error', ({ code }) => console.log(code)).bind({ port: Number(process.argv[1]), address: '127.0.0.1' }, () => {
  console.log('taken');
  socket.close();
});`;

describe('a free port', () => {
  it('is promised to nobody else meanwhile, not in another process either, and open to a server', async () => {
    const port = await freePort();
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      SCRIPT,
      String(port),
    ]);
    expect(stdout.trim()).toBe('EADDRINUSE');
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    server.close();
  });

  it('is not given twice, also when so many are asked for that chance would give some of them again', async () => {
    const ports = await Promise.all(Array.from({ length: 400 }, () => freePort()));
    expect(new Set(ports).size).toBe(400);
  });
});
