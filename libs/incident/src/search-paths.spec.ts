import { describe, expect, it } from '@jest/globals';
import type { Entity, Relation } from '@starr/kernel';
import fc from 'fast-check';
import { createGraph } from './graph.ts';
import { ownAddresses } from './path-ends.ts';
import { pathEndText, pathText } from './path.ts';
import { searchPaths } from './search-paths.ts';
import { at, entity, relation } from './test/build.ts';
import {
  APPLICATION,
  DEPLOYMENT,
  ORDERS,
  podAddresses,
  revisionOf,
  topology,
} from './test/shop.ts';

function text(relations: readonly Relation[], from: Entity, to: Entity, maxEdges?: number) {
  const path = searchPaths(createGraph(relations), [from], [to], {
    ...(maxEdges !== undefined && { maxEdges }),
  });
  return path && pathText(path);
}

const shop = (options = {}) => Object.values(topology(options)).flat();
const chain = (length: number) =>
  Array.from({ length }, (_, index) =>
    relation(entity('service', `s${index}`), 'calls', entity('service', `s${index + 1}`)),
  );

describe('searchPaths', () => {
  it('leads from a leaking application over its pods to the revision that they run', () => {
    expect(text(shop(), APPLICATION, revisionOf(2))).toBe(
      'application checkout → 3 clients → 3 addresses → 3 pods → revision shop/checkout#2',
    );
  });

  it('does not lead over the Deployment to a revision that none of the pods runs', () => {
    expect(text(shop({ revision: 1 }), APPLICATION, revisionOf(2))).toBeUndefined();
    expect(text(shop({ revision: 1 }), APPLICATION, DEPLOYMENT)).toBeDefined();
  });

  it('ends at a shared address', () => {
    expect(text(shop({ shared: true }), APPLICATION, revisionOf(2))).toBeUndefined();
  });

  it('passes no hub, and may begin or end at one', () => {
    const other = entity('application', 'reports', 'orders');
    const relations = [relation(APPLICATION, 'uses', ORDERS), relation(other, 'uses', ORDERS)];
    expect(text(relations, APPLICATION, other)).toBeUndefined();
    expect(text(relations, APPLICATION, ORDERS)).toBe('application checkout → postgres orders');
    expect(text(relations, ORDERS, other)).toBe('postgres orders → application reports');
  });

  it.each([
    [8, true],
    [9, false],
  ])('a chain of %i edges is a path: %s', (length, isPath) => {
    const path = text(chain(length), entity('service', 's0'), entity('service', `s${length}`));
    expect(path !== undefined).toBe(isPath);
  });

  it('follows calls from service to service only when it may', () => {
    const graph = createGraph(chain(1));
    const search = (overCalls: boolean) =>
      searchPaths(graph, [entity('service', 's0')], [entity('service', 's1')], { overCalls });
    expect([search(true) !== undefined, search(false) !== undefined]).toEqual([true, false]);
  });

  it('goes down to the parts of a service only after a call has led there', () => {
    const [a, b] = [entity('service', 'a'), entity('service', 'b')];
    const part = (service: Entity) => entity('process', `${service.name}/1`);
    const relations = [
      relation(a, 'calls', b),
      relation(part(a), 'of', a),
      relation(part(b), 'of', b),
      relation(entity('process', 'a/2'), 'of', a),
    ];
    expect(text(relations, part(b), part(a))).toBe(
      'process b/1 → service b → service a → process a/1',
    );
    expect(text(relations, part(a), entity('process', 'a/2'))).toBeUndefined();
  });

  it('does not look beyond what it is allowed', () => {
    expect(text(chain(3), entity('service', 's0'), entity('service', 's3'), 2)).toBeUndefined();
  });

  it('is a path of no edge where both speak of the same thing', () => {
    expect(text(shop(), APPLICATION, APPLICATION)).toBe('application checkout');
  });

  it('takes no shared address for the same thing', () => {
    const graph = createGraph(shop({ shared: true }));
    const shared = entity('address', podAddresses({ shared: true })[0] ?? '');
    expect(searchPaths(graph, [shared], [shared])).toBeUndefined();
  });

  it('forgets relations that had ceased before the moment', () => {
    const gone = {
      ...relation(entity('service', 'a'), 'calls', entity('service', 'b')),
      until: at('03:00:00'),
    };
    const graph = createGraph([gone]);
    const search = (moment: Date) =>
      searchPaths(graph, [gone.from], [gone.to], { moment }) !== undefined;
    expect([search(at('03:00:00')), search(at('03:00:01'))]).toEqual([true, false]);
  });

  it('knows nothing of what has no relation', () => {
    expect(text([], entity('pod', 'a'), entity('pod', 'b'))).toBeUndefined();
  });

  it('is the same length in both directions', () => {
    const kinds = fc.constantFrom('pod', 'address', 'client', 'process', 'deployment', 'postgres');
    const ends = fc.record({ kind: kinds, name: fc.constantFrom('a', 'b', 'c') });
    const relations = fc.array(
      fc.record({
        from: ends,
        is: fc.constantFrom('at', 'of', 'calls', 'connects-from', 'runs'),
        to: ends,
      }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(relations, ends, ends, (all, a, b) => {
        const graph = createGraph(all);
        const there = searchPaths(graph, [a], [b]);
        const back = searchPaths(graph, [b], [a]);
        expect(there?.layers.length).toBe(back?.layers.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('leads through hubs and ambiguous addresses never, whatever the graph', () => {
    const kinds = fc.constantFrom('pod', 'address', 'client', 'postgres', 'node');
    const ends = fc.record({ kind: kinds, name: fc.constantFrom('a', 'b', 'c') });
    const relations = fc.array(
      fc.record({ from: ends, is: fc.constantFrom('at', 'connects-from', 'uses'), to: ends }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(relations, ends, ends, (all, a, b) => {
        const graph = createGraph(all);
        const inner = searchPaths(graph, [a], [b])?.layers.slice(1, -1).flat() ?? [];
        expect(inner.map(({ kind }) => kind)).not.toContain('postgres');
        expect(inner.map(({ kind }) => kind)).not.toContain('node');
        const passed = inner.filter(({ kind }) => kind === 'address');
        expect(ownAddresses(graph, passed).ends).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('ownAddresses', () => {
  it('says how many stand behind an address', () => {
    const { ends } = ownAddresses(createGraph(shop({ shared: true })), [APPLICATION]);
    expect(ends.map(pathEndText)).toEqual([
      'pod not identified, path ends at address 10.0.0.9 (3 holders)',
    ]);
  });

  it('says when nobody is known', () => {
    const { db, k8s } = topology({ shared: true });
    const { ends } = ownAddresses(createGraph([...db, ...k8s]), [APPLICATION]);
    expect(ends.map(pathEndText)).toEqual([
      'pod not identified, path ends at address 10.0.0.9 (no holder known)',
    ]);
  });

  it('looks for processes where there is no cluster', () => {
    const { db, resilience } = topology({ shared: true });
    const { ends } = ownAddresses(createGraph([...db, ...resilience]), [APPLICATION]);
    expect(ends.map(pathEndText)).toEqual([
      'process not identified, path ends at address 10.0.0.9 (3 holders)',
    ]);
  });

  it('does not count addresses of others', () => {
    const { identified, ends } = ownAddresses(createGraph(shop()), [APPLICATION]);
    expect([identified.length, ends.length]).toEqual([3, 0]);
  });
});
