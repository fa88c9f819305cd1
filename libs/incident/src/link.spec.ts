import { describe, expect, it } from '@jest/globals';
import type { Entity, Relation } from '@starr/kernel';
import type { FindingItem } from './evidence.ts';
import { createGraph } from './graph.ts';
import { linkItems, relate } from './link.ts';
import { at, entity, relation } from './test/build.ts';

const orders = entity('postgres', 'orders');
const payments = entity('dependency', 'payments');
const service = entity('service', 'checkout');
const pool = entity('pool', 'checkout/orders');
const breaker = entity('breaker', 'checkout/payments');
const process = entity('process', 'checkout/1');

function item(about: Entity, involves: readonly Entity[] = [], since?: Date): FindingItem {
  return {
    kind: 'finding',
    id: about.name,
    diagnostic: 'x.y',
    target: 't',
    about,
    involves,
    says: '',
    measured: [],
    severity: 'warning',
    rows: [],
    ...(since !== undefined && { at: since }),
  };
}

const inOneProcess: readonly Relation[] = [
  relation(pool, 'in', process),
  relation(breaker, 'of', service),
  relation(process, 'of', service),
  relation(pool, 'connects-to', orders),
  relation(breaker, 'guards', payments),
  relation(service, 'calls', payments),
];
const shared = [process];

describe('what stands before different hubs', () => {
  const poolOf = item(pool, shared);
  const breakerOf = item(breaker, shared);

  it.each<[string, readonly Entity[], string]>([
    ['were both looked at by themselves', [orders, payments], 'unrelated'],
    ['one of which is a mere name that may mean the other', [orders], 'linked'],
  ])('is %s', (_, observed, state) => {
    const graph = createGraph(inOneProcess, observed);
    expect(relate(graph, poolOf, breakerOf).state).toBe(state);
  });

  it('is unrelated when the hubs are of one kind', () => {
    const other = entity('dependency', 'mails');
    const relations = inOneProcess.map((one) =>
      one.is === 'connects-to' ? relation(pool, 'guards', other) : one,
    );
    expect(relate(createGraph(relations), poolOf, breakerOf).state).toBe('unrelated');
  });

  it('is linked when both names mean one thing', () => {
    const graph = createGraph(
      [...inOneProcess, relation(payments, 'is', orders)],
      [orders, payments],
    );
    expect(relate(graph, poolOf, breakerOf).state).toBe('linked');
  });

  it('does not lead to a hub that it does not stand before, over others of its service', () => {
    expect(relate(createGraph(inOneProcess), poolOf, item(payments)).state).toBe('unrelated');
    expect(relate(createGraph(inOneProcess), breakerOf, item(payments)).state).toBe('linked');
  });
});

describe('a tie', () => {
  const addresses = [1, 2, 3, 4].map((number) => entity('address', `10.0.0.${number}`));
  const application = entity('application', 'a', 'orders');
  const good = entity('revision', 'a#1', 'prod');
  const bad = entity('revision', 'a#2', 'prod');
  const leak = item(application, addresses, at('03:00:00'));
  const graphOf = (onBad: number, shareFirst = false) =>
    createGraph(
      addresses.flatMap((address, index) => {
        const client = entity('client', `a@${address.name}`, 'orders');
        const pod = entity('pod', `a-${index}`, 'prod');
        return [
          relation(client, 'of', application),
          relation(client, 'connects-from', address),
          relation(pod, 'at', address),
          ...(shareFirst && index === 0
            ? [relation(entity('pod', 'other', 'prod'), 'at', address)]
            : []),
          relation(pod, 'runs', index >= 4 - onBad ? bad : good),
        ];
      }),
    );

  it.each([
    [4, { state: 'linked', share: { kind: 'address', on: 4, of: 4 } }],
    [2, { state: 'linked', share: { kind: 'address', on: 2, of: 4 } }],
    [1, { state: 'unrelated', says: 'only 1 of 4 of kind address lead there' }],
    [0, { state: 'unrelated' }],
  ])('holds where at least half of the addresses lead there: %i of 4', (onBad, expected) => {
    expect(linkItems(graphOf(onBad), leak, item(bad), { asTie: true })).toMatchObject(expected);
  });

  it('does not count addresses that nobody can tell', () => {
    expect(linkItems(graphOf(2, true), leak, item(bad), { asTie: true })).toMatchObject({
      share: { on: 2, of: 3 },
    });
  });

  it('does not lead over calls, where a consequence does', () => {
    const caller = entity('service', 'web');
    const graph = createGraph([relation(caller, 'calls', service)]);
    const state = (asTie: boolean) => relate(graph, item(service), item(caller), { asTie }).state;
    expect([state(true), state(false)]).toEqual(['unrelated', 'linked']);
  });

  it('follows relations that had ceased, when they held at the onset', () => {
    const gone = { ...relation(service, 'runs', good), until: at('03:00:00') };
    const graph = createGraph([gone]);
    const state = (since?: Date) => relate(graph, item(service, [], since), item(good)).state;
    expect([state(at('03:00:00')), state(at('03:00:01')), state()]).toEqual([
      'linked',
      'unrelated',
      'unrelated',
    ]);
  });
});
