import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@starr/kernel';
import { openBreaker } from '../test/seen.ts';
import {
  Fleet,
  type FleetCommand,
  type FleetEvent,
  type FleetIdentity,
  type FleetReport,
} from './fleet.ts';

/** A clock that moves when told to; who sleeps wakes when his time has come. */
function createClock() {
  let nowMs = 0;
  const sleepers: { untilMs: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        sleepers.push({ untilMs: nowMs + ms, wake: resolve });
        signal?.addEventListener('abort', () => {
          resolve();
        });
      }),
  };
  return {
    clock,
    advance: (byMs: number) => {
      nowMs += byMs;
      for (const { untilMs, wake } of sleepers) if (untilMs <= nowMs) wake();
    },
  };
}

function setUp() {
  const { clock, advance } = createClock();
  const fleet = new Fleet(clock);
  const events: FleetEvent<FleetIdentity, FleetReport>[] = [];
  fleet.listen((event) => events.push(event));
  const attach = (instance: string, obey: boolean) => {
    const sent: { id: string; command: FleetCommand }[] = [];
    const closed: string[] = [];
    const attached = fleet.attach({ service: 'checkout', instance, pid: 1 }, undefined, {
      send(id, command) {
        sent.push({ id, command });
        if (obey && command.kind === 'report-now') {
          attached.report({ policies: [openBreaker()], unreadable: 0, answers: id });
        }
      },
      close: (why) => closed.push(why),
    });
    return { sent, closed, attached };
  };
  return { fleet, advance, events, attach };
}

const reset = { kind: 'reset-breaker', breaker: 'payments', epoch: 2, state: 'open' } as const;

describe('the fleet', () => {
  it('looks at all at once and waits for the slow no longer than it may', async () => {
    const { fleet, attach, advance } = setUp();
    attach('a', true);
    attach('b', false);
    const looking = fleet.look(700);
    advance(700);
    expect((await looking).map(({ instance, answer }) => [instance, answer.kind])).toEqual([
      ['a', 'reported'],
      ['b', 'silent'],
    ]);
  });

  it('takes no earlier report for an answer', async () => {
    const { fleet, attach, advance } = setUp();
    attach('a', false).attached.report({ policies: [], unreadable: 0 });
    const looking = fleet.look(700);
    advance(700);
    expect((await looking)[0]?.answer).toEqual({ kind: 'silent', waitedMs: 700 });
  });

  it('leaves out who goes away while it is asked, without waiting', async () => {
    const { fleet, attach } = setUp();
    const a = attach('a', false);
    const looking = fleet.look(700);
    a.attached.detach(false);
    expect(await looking).toEqual([]);
  });

  it('ends with its signal', async () => {
    const { fleet, attach } = setUp();
    attach('a', false);
    const abort = new AbortController();
    const looking = fleet.look(700, abort.signal);
    abort.abort();
    expect((await looking)[0]?.answer.kind).toBe('silent');
  });

  it('lets a second attachment of an instance end the first, which then moves nothing', () => {
    const { fleet, attach, events } = setUp();
    const first = attach('a', true);
    attach('a', true);
    expect(first.closed).toEqual(['the same instance attached again']);
    first.attached.detach(true);
    expect(fleet.members()).toHaveLength(1);
    expect(events.map(({ kind }) => kind)).toEqual(['changed', 'detached', 'changed']);
  });

  it('detaches who says nothing for half a minute', async () => {
    const { fleet, attach, advance } = setUp();
    const quiet = attach('a', false);
    advance(30_000);
    void fleet.look(0);
    expect(fleet.size).toBe(1);
    advance(1);
    await fleet.look(0);
    expect(fleet.size).toBe(0);
    expect(quiet.closed).toEqual(['silent for too long']);
  });

  it('gives each command the answer of its process', async () => {
    const { fleet, attach } = setUp();
    const a = attach('a', true);
    const end = { kind: 'refused', now: openBreaker() } as const;
    const asked = fleet.command('checkout', 'a', 'op-1', reset, 2000);
    a.attached.acknowledge('op-0', { kind: 'not-done', says: 'another' });
    a.attached.acknowledge('op-1', end);
    expect(await asked).toBe(end);
    expect(a.sent).toEqual([{ id: 'op-1', command: reset }]);
  });

  it('tells what was never sent from what was not answered', async () => {
    const { fleet, attach, advance } = setUp();
    expect(await fleet.command('checkout', 'a', 'op-1', reset, 2000)).toEqual({
      kind: 'not-attached',
    });
    const a = attach('a', true);
    const late = fleet.command('checkout', 'a', 'op-2', reset, 2000);
    advance(2000);
    expect(await late).toEqual({ kind: 'no-answer' });
    const lost = fleet.command('checkout', 'a', 'op-3', reset, 2000);
    a.attached.detach(false);
    expect(await lost).toEqual({ kind: 'no-answer' });
  });

  it('waits for processes that come back, but not for ever', async () => {
    const { fleet, attach, advance } = setUp();
    attach('a', true);
    const coming = fleet.waitForAttached('checkout', ['a', 'b'], 1000);
    attach('b', true);
    expect(await coming).toBe(true);
    expect(await fleet.waitForAttached('checkout', ['a'], 0)).toBe(true);
    const never = fleet.waitForAttached('checkout', ['c'], 1000);
    advance(1000);
    expect(await never).toBe(false);
  });

  it('keeps services and instances apart, whatever their names hold', () => {
    const { fleet } = setUp();
    const link = { send: () => undefined, close: () => undefined };
    fleet.attach({ service: 'a","b', instance: 'c', pid: 1 }, undefined, link);
    fleet.attach({ service: 'a', instance: 'b","c', pid: 1 }, undefined, link);
    expect(fleet.size).toBe(2);
    fleet.close();
    expect(fleet.size).toBe(0);
  });
});
