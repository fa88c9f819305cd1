import { describe, expect, it } from '@jest/globals';
import { lookOf } from '../test/lab-target.ts';
import { scanConditions } from './scan-conditions.ts';
import { scanInText, statementScansRead, type StatementScans } from './statement-scans.ts';

describe('the columns of a condition', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['(customer_id = $1)', ['customer_id'], []],
    ['((orders.customer_id = $1) AND (orders.created_at > $2))', ['customer_id'], ['created_at']],
    ["((orders.status)::text = 'paid'::text)", ['status'], []],
    ['(id = ANY ($1))', ['id'], []],
    ['customer_id = $1 AND status IN ($2, $3)', ['customer_id', 'status'], []],
    ['a = $1 AND b BETWEEN $2 AND $3 AND c <= $4', ['a'], ['b', 'c']],
    ['("Order" = $1)', ['Order'], []],
    ['((a = $1) OR (b = $2))', [], []],
    ['(lower(email) = $1)', [], []],
    ['(a = b)', [], []],
    ['(name ~~ $1)', [], []],
    ['(NOT (a = $1))', [], []],
    ['((a > $1) AND (a = $2))', ['a'], []],
    ['', [], []],
  ])('%s', (condition, equal, range) => {
    expect(scanConditions(condition)).toEqual({ equal, range });
  });
});

describe('the one table of a text', () => {
  it.each<[string, string | undefined, readonly string[]]>([
    ['SELECT * FROM orders WHERE customer_id = $1', 'orders', ['customer_id']],
    ['select id from "Shop"."Orders" o where o.a = $1 order by id limit $2', 'Orders', ['a']],
    ['UPDATE orders SET status = $1 WHERE payment_id = $2', 'orders', ['payment_id']],
    ['DELETE FROM orders WHERE id = $1 RETURNING *', 'orders', ['id']],
    ['SELECT /* route */ * FROM orders\n WHERE customer_id = $1 -- x', 'orders', ['customer_id']],
    ['SELECT * FROM orders', undefined, []],
    ['SELECT * FROM orders JOIN customers c ON c.id = $1 WHERE c.id = $1', undefined, []],
    ['SELECT * FROM a, b WHERE a.id = $1', undefined, []],
    ['SELECT * FROM orders WHERE id = (SELECT max(id) FROM x)', undefined, []],
    ['INSERT INTO orders VALUES ($1)', undefined, []],
  ])('%s', (text, table, equal) => {
    const scan = scanInText(text);
    expect(scan?.table).toBe(table);
    expect(scan?.equal ?? []).toEqual(equal);
  });
});

describe('the scans of a statement', () => {
  const parse = (...plans: unknown[]) =>
    statementScansRead.parse({ version: '1.12', plans }, lookOf());
  const node = (more: Record<string, unknown>) => ({ 'Node Type': 'Seq Scan', ...more });

  it('are those of its plan that have a condition, however deep', () => {
    const plan = [
      {
        Plan: {
          'Node Type': 'Hash Join',
          Plans: [
            node({
              'Relation Name': 'orders',
              Schema: 'public',
              'Plan Rows': 3,
              Filter: '(orders.customer_id = $1)',
            }),
            {
              'Node Type': 'Hash',
              Plans: [node({ 'Relation Name': 'customers', Schema: 'public' })],
            },
          ],
        },
      },
    ];
    expect(parse({ id: '1', query: "SELECT 'x'", plan })).toEqual([
      {
        queryId: '1',
        text: 'SELECT ?',
        evidence: 'generic plan',
        scans: [{ schema: 'public', table: 'orders', rows: 3, equal: ['customer_id'], range: [] }],
        trials: [],
      },
    ]);
  });

  it('without a plan are what its text says, with the reason', () => {
    const query = 'SELECT * FROM orders WHERE customer_id = $1';
    expect(
      parse({ id: '1', query, whyNot: 'this role may not read its table', state: '42501' }),
    ).toEqual([
      {
        queryId: '1',
        text: query,
        evidence: 'statement text',
        scans: [{ table: 'orders', equal: ['customer_id'], range: [] }],
        trials: [],
        whyNoPlan: 'this role may not read its table',
      },
    ]);
  });

  it.each([[undefined], [[]], [[{}]], ['plan']])('of an absurd plan are none: %j', (plan) => {
    expect(parse({ id: '1', query: 'x', plan })).toMatchObject([{ scans: [] }]);
  });

  it('with an index that is not there: used or not, at which cost, and why not known', () => {
    const planOf = (cost: unknown, below: object = {}) => [
      { Plan: { 'Node Type': 'Limit', 'Total Cost': cost, Plans: [below] } },
    ];
    const wanted = { schema: 'public', table: 'orders', columns: ['customer_id'] };
    const [statement] = parse({
      id: '1',
      query: 'x',
      plan: planOf(900),
      trials: [
        { ...wanted, index: '<7>b', plan: planOf(8, { 'Index Name': '<7>b' }) },
        { ...wanted, index: '<7>b', plan: planOf(900, { 'Index Name': 'other' }) },
        { ...wanted, index: '<7>b', plan: 'no plan' },
        { ...wanted, whyNot: 'a', state: '42501', cure: 'GRANT …' },
        { ...wanted, whyNot: 'b', state: '' },
        { ...wanted, whyNot: 'c', state: 'XX000' },
      ],
    }) as readonly StatementScans[];
    expect(statement?.trials).toEqual([
      { ...wanted, kind: 'planned', isUsed: true, costBefore: 900, costAfter: 8 },
      { ...wanted, kind: 'planned', isUsed: false, costBefore: 900, costAfter: 900 },
      { ...wanted, kind: 'unknown', why: 'unsupported', detail: 'its plan has another form' },
      { ...wanted, kind: 'unknown', why: 'denied', detail: 'a', cure: 'GRANT …' },
      { ...wanted, kind: 'unknown', why: 'timeout', detail: 'b' },
      { ...wanted, kind: 'unknown', why: 'unsupported', detail: 'c' },
    ]);
  });

  it('of an answer in another form are a blind spot', () => {
    expect(statementScansRead.parse({ rows: [] }, lookOf())).toMatchObject({ why: 'unsupported' });
  });
});
