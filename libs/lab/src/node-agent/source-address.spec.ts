import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

describe('the source address of a pod', () => {
  const seen: string[] = [];
  const server = createServer((socket) => {
    seen.push(socket.remoteAddress ?? '');
    socket
      .on('error', () => undefined)
      .on('finish', () => socket.destroy())
      .end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const sourceOf = async (program: string, env: Record<string, string> = {}): Promise<string> => {
    seen.length = 0;
    const preload = new URL('./source-address.ts', import.meta.url).href;
    await run(
      process.execPath,
      [`--import=${preload}`, '-e', program.replaceAll('PORT', String(port))],
      {
        env: { STARR_POD_IP: '127.0.240.7', ...env },
      },
    );
    return seen.join();
  };

  it.each([
    ['a socket told port and host', `new net.Socket().connect(PORT, '127.0.0.1').resume()`],
    [
      'a socket told options',
      `new net.Socket().connect({ port: PORT, host: 'localhost' }).resume()`,
    ],
    ['a port alone', `net.connect(PORT).resume()`],
    [
      'createConnection',
      `net.createConnection({ port: PORT, host: '127.0.0.1' }, () => {}).resume()`,
    ],
    ['fetch', `fetch('http://127.0.0.1:PORT/')`],
    [
      'http with an agent',
      `require('http').get({ port: PORT, agent: new (require('http').Agent)({ keepAlive: false }) }).on('response', (r) => r.resume())`,
    ],
  ])('is what %s comes from', async (_, program) => {
    expect(await sourceOf(program)).toBe('127.0.240.7');
  });

  it('is another one where all pods share it', async () => {
    const program = `net.connect({ port: PORT, host: '127.0.0.1' }).resume()`;
    expect(await sourceOf(program, { STARR_SOURCE_IP: '127.0.240.8' })).toBe('127.0.240.8');
  });

  it('is not forced upon a socket that chose its own', async () => {
    const program = `net.connect({ port: PORT, host: '127.0.0.1', localAddress: '127.0.0.9' }).resume()`;
    expect(await sourceOf(program)).toBe('127.0.0.9');
  });

  it('changes nothing without a pod address', async () => {
    expect(await sourceOf(`net.connect(PORT, '127.0.0.1').resume()`, { STARR_POD_IP: '' })).toBe(
      '127.0.0.1',
    );
  });
});
