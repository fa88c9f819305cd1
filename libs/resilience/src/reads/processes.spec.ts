import { describe, expect, it } from '@jest/globals';
import { isBlindSpot } from '@starr/kernel';
import type { ProcessesOptions } from '../processes-options.ts';
import { breakerOf, lookOf, poolOf, processOf, queueOf, silent } from '../test/seen.ts';
import { processesRead } from './processes.ts';

const relate = (
  processes: Parameters<NonNullable<typeof processesRead.relate>>[0],
  options: Partial<ProcessesOptions> = {},
) =>
  (processesRead.relate?.(processes, lookOf(options)) ?? []).map(
    ({ from, is, to }) =>
      `${from.kind} ${from.name} ${is} ${to.kind} ${to.name}${to.scope === undefined ? '' : ` (${to.scope})`}`,
  );

describe('the relations of a process', () => {
  it('tie its policies to it, to its service and to what they guard', () => {
    expect(relate([processOf('a', [breakerOf(), queueOf(), poolOf()])])).toEqual([
      'process checkout/a of service checkout',
      'breaker checkout/payments in process checkout/a',
      'breaker checkout/payments of service checkout',
      'breaker checkout/payments guards dependency payments-api',
      'queue checkout/mails in process checkout/a',
      'queue checkout/mails of service checkout',
      'pool checkout/orders in process checkout/a',
      'pool checkout/orders of service checkout',
    ]);
  });

  it('tie it to its address: the pod’s own word before what its stream shows', () => {
    const peerAddress = '10.0.0.9';
    expect(relate([processOf('a', [], { peerAddress })])).toContain(
      'process checkout/a at address 10.0.0.9',
    );
    expect(relate([processOf('a', [], { peerAddress, pod: { ip: '10.0.0.7' } })])).toContain(
      'process checkout/a at address 10.0.0.7',
    );
  });

  it('tie it to its pod only where one cluster alone can be meant', () => {
    const inPod = [processOf('a', [], { pod: { namespace: 'shop', name: 'checkout-x' } })];
    const prod = { target: 'prod', namespaces: ['shop'] };
    const homes = (clusters: ProcessesOptions['clusters']) =>
      relate(inPod, { clusters }).filter((line) => line.includes('runs-in'));
    expect(homes([prod])).toEqual(['process checkout/a runs-in pod shop/checkout-x (prod)']);
    expect(homes([prod, { target: 'other', namespaces: ['else'] }])).toHaveLength(1);
    expect(homes([prod, { target: 'other', namespaces: ['shop'] }])).toEqual([]);
    expect(homes([])).toEqual([]);
  });

  it('tie a pool to the database target that it connects to, where it is one', () => {
    const pools = [processOf('a', [poolOf({ connectsTo: { host: 'db', port: 5432 } })])];
    expect(relate(pools, { databases: { 'db:5432': 'orders' } })).toContain(
      'pool checkout/orders connects-to postgres orders',
    );
    expect(relate(pools, { databases: { 'db:6432': 'orders' } }).join()).not.toContain(
      'connects-to',
    );
  });

  it('hold for a silent process too, as far as they are known', () => {
    expect(relate([silent('s')])).toEqual(['process checkout/s of service checkout']);
  });
});

it('says so when there are more processes than it looks at', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => silent(`s${index}`));
  expect(isBlindSpot(processesRead.parse(many(2000), lookOf()))).toBe(false);
  expect(processesRead.parse(many(2001), lookOf())).toMatchObject({ why: 'truncated' });
});
