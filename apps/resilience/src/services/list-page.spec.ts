import { describe, expect, it } from '@jest/globals';
import { listPage } from './list-page.ts';
import type { ProcessMember } from './process-fleet.ts';

const member = (service: string, instance: string): ProcessMember => ({
  identity: { service, instance, pid: 1 },
  attachedAt: new Date(0),
});
const all = ['a', 'b', 'c', 'd', 'e'].map((instance) => member('checkout', instance));
const names = (members: readonly ProcessMember[]) =>
  members.map(({ identity }) => identity.instance).join('');
const page = (members: readonly ProcessMember[], pageSize: number, pageToken = '', service = '') =>
  listPage(members, { pageSize, pageToken, service });

describe('a page of processes', () => {
  it('goes on where the last one ended, although processes came and went', () => {
    const first = page(all, 2);
    expect(names(first.members)).toBe('ab');
    const [a, , c, d, e] = all as [
      ProcessMember,
      ProcessMember,
      ProcessMember,
      ProcessMember,
      ProcessMember,
    ];
    const now = [a, member('checkout', 'b2'), c, d, e];
    expect(names(page(now, 2, first.nextPageToken).members)).toBe('b2c');
  });

  it('has no token when it is the last, also when it is full', () => {
    expect(page(all, 5).nextPageToken).toBe('');
    expect(page(all, 4).nextPageToken).not.toBe('');
    expect(page([], 4)).toEqual({ members: [], nextPageToken: '' });
  });

  it('holds one service when asked for one', () => {
    expect(names(page([...all, member('users', 'u')], 0, '', 'users').members)).toBe('u');
  });

  it.each<[string, number, string]>([
    ['page_size', -1, ''],
    ['page_size', 501, ''],
    ['page_token', 1, 'nonsense'],
    ['page_token', 1, Buffer.from('[1,2]').toString('base64url')],
    ['page_token', 1, 'x'.repeat(10_000)],
  ])('refuses an absurd %s', (field, pageSize, pageToken) => {
    expect(() => page(all, pageSize, pageToken)).toThrow(field);
  });
});
