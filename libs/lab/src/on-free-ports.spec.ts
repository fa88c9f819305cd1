import { createServer, type Server } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePort } from './leash.ts';
import { onFreePorts } from './on-free-ports.ts';

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve(server);
    });
  });
}

describe('a start on free ports', () => {
  it('is tried on another port when somebody took the first between the look and the bind', async () => {
    const taken = await freePort();
    const holder = await listen(taken);
    const ports = [taken, await freePort()];
    const server = await onFreePorts(() => Promise.resolve(ports.shift() ?? 0), listen);
    expect(server.address()).not.toMatchObject({ port: taken });
    expect(ports).toEqual([]);
    server.close();
    holder.close();
  });

  it('gives up after three, with what the last one said', async () => {
    const port = await freePort();
    const holder = await listen(port);
    let looks = 0;
    const look = () => {
      looks += 1;
      return Promise.resolve(port);
    };
    await expect(onFreePorts(look, listen)).rejects.toThrow('address already in use');
    expect(looks).toBe(3);
    holder.close();
  });

  it('does not try again what failed for another reason', async () => {
    let starts = 0;
    const fail = () => {
      starts += 1;
      return Promise.reject(new Error('no such file'));
    };
    await expect(onFreePorts(freePort, fail)).rejects.toThrow('no such file');
    expect(starts).toBe(1);
  });
});
