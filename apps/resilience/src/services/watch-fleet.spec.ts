import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@starr/kernel';
import { Fleet } from '@starr/resilience';
import type { ProcessIdentity, ProcessReport } from '@starr/wire';
import type { ProcessEvent, ProcessFleet } from './process-fleet.ts';
import { watchFleet } from './watch-fleet.ts';

const link = { send: () => undefined, close: () => undefined };
const report = (at: number): ProcessReport => ({
  takenAt: new Date(at),
  policies: [],
  unreadable: 0,
});

function setUp(service = '') {
  const fleet: ProcessFleet = new Fleet<ProcessIdentity, ProcessReport>(systemClock);
  const attach = (of: string, instance: string) =>
    fleet.attach({ service: of, instance, pid: 1 }, undefined, link);
  const abort = new AbortController();
  const events = watchFleet(fleet, service, abort.signal);
  const next = async () => text((await events.next()).value as ProcessEvent);
  return { attach, events, next, abort };
}

function text(event: ProcessEvent): string {
  return event.kind === 'detached'
    ? `detached ${event.identity.instance}`
    : `changed ${event.member.identity.instance} ${event.member.report?.takenAt.getTime() ?? '-'}`;
}

describe('watching the fleet', () => {
  it('begins with all that is there and goes on with what changes', async () => {
    const { attach, next } = setUp();
    const a = attach('checkout', 'a');
    attach('users', 'u');
    expect([await next(), await next()]).toEqual(['changed a -', 'changed u -']);
    const coming = next();
    a.report(report(1));
    expect(await coming).toBe('changed a 1');
  });

  it('gives a slow reader the newest of each process, not all that was', async () => {
    const { attach, next } = setUp();
    const a = attach('checkout', 'a');
    const b = attach('checkout', 'b');
    await next();
    await next();
    for (let at = 1; at <= 1000; at++) a.report(report(at));
    b.report(report(1));
    b.detach(true);
    expect([await next(), await next()]).toEqual(['changed a 1000', 'detached b']);
  });

  it('tells of one service when asked for one', async () => {
    const { attach, next } = setUp('users');
    attach('checkout', 'a');
    attach('users', 'u');
    expect(await next()).toBe('changed u -');
  });

  it('ends with its signal', async () => {
    const { events, abort } = setUp();
    const coming = events.next();
    abort.abort();
    expect(await coming).toEqual({ done: true, value: undefined });
  });
});
