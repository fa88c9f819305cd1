import { expect, it } from '@jest/globals';
import { peerAddress } from './peer-address.ts';

it.each([
  ['127.0.102.1:54321', '127.0.102.1'],
  ['[::1]:54321', '::1'],
  ['::1:54321', '::1'],
  ['[::ffff:10.0.0.7]:1', '10.0.0.7'],
  ['::ffff:10.0.0.7:1', '10.0.0.7'],
  ['fd00::7:443', 'fd00::7'],
  ['unix:/run/starr.sock', undefined],
  ['unknown', undefined],
  ['', undefined],
])('reads the address of the peer %j', (peer, address) => {
  expect(peerAddress(peer)).toBe(address);
});
