import { describe, expect, it } from '@jest/globals';
import type { Relation } from '@starr/kernel';
import fc from 'fast-check';
import { createGraph, heldSince, holdersOf, hubsOf, identifies } from './graph.ts';
import { at, entity, relation } from './test/build.ts';

const address = entity('address', '10.0.0.9');
const pod = (name: string) => entity('pod', `shop/${name}`, 'prod');
const client = entity('client', 'checkout@10.0.0.9', 'orders');
const orders = entity('postgres', 'orders');
const ended = (one: Relation, until: Date): Relation => ({ ...one, until });

function holderOf(relations: readonly Relation[], moment?: Date) {
  const graph = createGraph(relations);
  const node = graph.node(graph.idOf(address))!;
  return {
    count: holdersOf(node, moment).count,
    identified: node.edges
      .filter((edge) => identifies(edge, node, moment))
      .map(({ relation: { from } }) => from.name),
  };
}

describe('createGraph', () => {
  it('merges what is said twice: since the earliest, until the latest', () => {
    const said = relation(pod('a'), 'at', address, at('03:00:00'));
    const graph = createGraph([
      ended(said, at('03:05:00')),
      ended({ ...said, since: at('02:00:00') }, at('03:04:00')),
    ]);
    const [edge] = graph.node(graph.idOf(address))!.edges;
    expect(edge?.relation).toEqual({ ...said, since: at('02:00:00'), until: at('03:05:00') });
  });

  it('lets a relation hold when one of two reports says so', () => {
    const said = relation(pod('a'), 'at', address);
    const graph = createGraph([ended(said, at('03:00:00')), said]);
    expect(graph.node(graph.idOf(address))!.edges[0]?.relation.until).toBeUndefined();
  });

  it('unites what is the same by "is", and the hub of the two decides', () => {
    const dependency = entity('dependency', 'orders-db');
    const graph = createGraph([relation(dependency, 'is', orders)]);
    expect(graph.idOf(dependency)).toBe(graph.idOf(orders));
    expect(graph.node(graph.idOf(orders))).toMatchObject({
      passage: 'no',
      kinds: ['dependency', 'postgres'],
      edges: [],
    });
  });

  it('does not depend on the order of the relations', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'd');
    const kinds = fc.constantFrom('pod', 'address', 'client', 'postgres', 'dependency');
    const ends = fc.record({ kind: kinds, name: names });
    const relations = fc.array(
      fc.record({
        from: ends,
        is: fc.constantFrom('at', 'of', 'uses', 'is', 'connects-from'),
        to: ends,
      }),
    );
    fc.assert(
      fc.property(
        relations.chain((all) =>
          fc.tuple(
            fc.constant(all),
            fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
          ),
        ),
        ([one, other]) => {
          expect(createGraph(other).nodes).toEqual(createGraph(one).nodes);
        },
      ),
    );
  });
});

describe('holders of an address', () => {
  it.each<[string, readonly Relation[], number, readonly string[]]>([
    ['nobody', [relation(client, 'connects-from', address)], 0, []],
    ['one pod', [relation(pod('a'), 'at', address)], 1, ['shop/a']],
    ['two pods', [relation(pod('a'), 'at', address), relation(pod('b'), 'at', address)], 2, []],
    [
      'a pod with two processes inside',
      [
        relation(pod('a'), 'at', address),
        relation(entity('process', 'a/1'), 'at', address),
        relation(entity('process', 'a/2'), 'at', address),
      ],
      2,
      ['shop/a'],
    ],
    [
      'one process that attached, of three pods that share the address',
      [
        relation(entity('process', 'a/1'), 'at', address),
        ...['a', 'b', 'c'].map((name) => relation(pod(name), 'at', address)),
      ],
      3,
      [],
    ],
    [
      'a pod of the host network, and everything else on the node',
      [relation(pod('a'), 'at', address), relation(entity('node', 'n1', 'prod'), 'at', address)],
      1,
      [],
    ],
  ])('%s', (_, relations, count, identified) => {
    expect(holderOf(relations)).toEqual({ count, identified });
  });

  it('forgets a holder that had left before the moment, and keeps one that left later', () => {
    const relations = [
      ended(relation(pod('old'), 'at', address), at('03:00:00')),
      relation(pod('new'), 'at', address),
    ];
    expect(holderOf(relations, at('03:00:01')).identified).toEqual(['shop/new']);
    expect(holderOf(relations, at('03:00:00')).count).toBe(2);
    expect(holderOf(relations).identified).toEqual(['shop/new']);
  });

  it('holds without a moment only what holds now', () => {
    const graph = createGraph([ended(relation(pod('a'), 'at', address), at('03:00:00'))]);
    const [edge] = graph.node(graph.idOf(address))!.edges;
    expect([heldSince(edge!, undefined), heldSince(edge!, at('02:59:59'))]).toEqual([false, true]);
  });
});

describe('hubsOf', () => {
  const application = entity('application', 'checkout', 'orders');
  const pool = entity('pool', 'checkout/orders');
  const graph = createGraph([
    relation(client, 'of', application),
    relation(application, 'uses', orders),
    relation(pool, 'connects-to', orders),
    relation(entity('service', 'checkout'), 'calls', entity('dependency', 'payments')),
    relation(entity('role', 'checkout', 'orders'), 'of', orders),
  ]);

  it.each([
    [
      'a hub inside another, and that one too',
      entity('role', 'checkout', 'orders'),
      ['role|orders|checkout', 'postgres||orders'],
    ],
    ['the hub itself', orders, ['postgres||orders']],
    ['what uses it', application, ['postgres||orders']],
    ['a part of what uses it', client, ['postgres||orders']],
    ['a pool that connects to it', pool, ['postgres||orders']],
    ['not what merely calls', entity('service', 'checkout'), []],
    ['nothing of what nobody knows', entity('pod', 'shop/x', 'prod'), []],
  ])('%s', (_, of, hubs) => {
    expect([...hubsOf(graph, of)]).toEqual(hubs);
  });
});
