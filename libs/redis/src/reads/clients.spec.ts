import { describe, expect, it } from '@jest/globals';
import { LOOK } from '../test/pair-of.ts';
import { clientsFromRaw, clientsRead } from './clients.ts';

const line = (fields: string): string => `id=1 ${fields} fd=7 flags=N db=0 omem=10 cmd=get resp=2`;

describe('clientsFromRaw', () => {
  it.each([
    [
      'its name',
      'addr=127.0.3.2:50312 name=checkout idle=1 user=shop lib-name=ioredis',
      'checkout',
    ],
    ['its ACL user', 'addr=127.0.3.2:50312 name= idle=1 user=shop lib-name=ioredis', 'shop'],
    ['its library', 'addr=127.0.3.2:50312 name= idle=1 user=default lib-name=ioredis', 'ioredis'],
    ['nothing', 'addr=127.0.3.2:50312 name= idle=1 user=default', 'unnamed'],
  ])('calls a client by %s', (_, fields, name) => {
    expect(clientsFromRaw(line(fields))).toMatchObject([{ name, address: '127.0.3.2' }]);
  });

  it('adds up connections of one name and address, and leaves the asking one out', () => {
    const text = [
      line('addr=127.0.3.2:1 name=checkout idle=5 user=default'),
      line('addr=127.0.3.2:2 name=checkout idle=2 user=default'),
      line('addr=127.0.3.3:1 name=checkout idle=9 user=default'),
      'id=9 addr=127.0.0.1:9 name= idle=0 user=default cmd=client|list',
      'id=9 addr=127.0.0.1:9 name= idle=0 user=default cmd=client',
      '',
    ].join('\n');
    expect(clientsFromRaw(text)).toEqual([
      { name: 'checkout', address: '127.0.3.2', connections: 2, idleMs: 2000, outputBytes: 20 },
      { name: 'checkout', address: '127.0.3.3', connections: 1, idleMs: 9000, outputBytes: 10 },
    ]);
  });

  it.each([
    ['addr=[::1]:6000', '::1'],
    ['addr=[fe80::1%eth0]:6000', 'fe80::1%eth0'],
    ['addr=/run/redis.sock:0', 'unix'],
  ])('reads %s', (addr, address) => {
    expect(clientsFromRaw(line(`${addr} name=a idle=0`))).toMatchObject([{ address }]);
  });

  it('masks personal data in names', () => {
    expect(clientsFromRaw(line('addr=10.0.0.1:1 name=jane.doe@example.org idle=0'))).toMatchObject([
      { name: '***' },
    ]);
  });

  it('is blind without text', () => {
    expect(clientsFromRaw([])).toMatchObject({ kind: 'blind', why: 'unsupported' });
  });
});

describe('the relations of clients', () => {
  it('tie a client to its address and to the server, and a socket file to the server alone', () => {
    const clients = [
      { name: 'checkout', address: '127.0.3.2', connections: 2, idleMs: 0, outputBytes: 0 },
      { name: 'cron', address: 'unix', connections: 1, idleMs: 0, outputBytes: 0 },
    ];
    const client = { kind: 'client', name: 'checkout@127.0.3.2', scope: 'sessions' };
    expect(clientsRead.relate?.(clients, LOOK)).toEqual([
      { from: client, is: 'uses', to: { kind: 'redis', name: 'sessions' } },
      { from: client, is: 'connects-from', to: { kind: 'address', name: '127.0.3.2' } },
      {
        from: { kind: 'client', name: 'cron@unix', scope: 'sessions' },
        is: 'uses',
        to: { kind: 'redis', name: 'sessions' },
      },
    ]);
  });
});
