import { describe, expect, it } from '@jest/globals';
import { statusOf, type Severity } from '@starr/kernel';
import type { Sequences, SequenceUse } from '../reads/sequences.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { sequences } from './sequences.ts';

const use = (more: Partial<SequenceUse> = {}): SequenceUse => ({
  schema: 'public',
  name: 'orders_id_seq',
  feeds: 'orders.id',
  feedsTable: 'orders',
  type: 'integer',
  useRatio: 0.1,
  left: 5,
  ...more,
});
const judge = (all: readonly SequenceUse[], more: Partial<Sequences> = {}) =>
  sequences.judge(
    {
      sequences: {
        database: 'shop',
        sequences: all,
        truncated: false,
        elsewhere: [],
        hidden: 0,
        hiddenSchemas: [],
        schemas: [],
        ourRole: 'starr',
        ...more,
      },
    },
    limitsOf(sequences),
    lookOf(),
  );

describe('db.sequences', () => {
  it.each<[number, Severity | undefined]>([
    [0, undefined],
    [0.8499, undefined],
    [0.85, 'warning'],
    [0.9499, 'warning'],
    [0.95, 'critical'],
    [1, 'critical'],
  ])('used to %f', (useRatio, severity) => {
    expect(judge([use({ useRatio })]).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('names the column that will not take more', () => {
    expect(judge([use({ useRatio: 0.96 })]).findings?.[0]).toMatchObject({
      about: { kind: 'table', name: 'public.orders', scope: 'orders' },
      says: 'the sequence public.orders_id_seq, which feeds orders.id, in shop is used to 96 % as integer: 5 values are left, then inserts fail',
    });
    const [lonely] = judge([use({ useRatio: 0.96, feeds: '', feedsTable: '' })]).findings!;
    expect(lonely?.about).toEqual({ kind: 'postgres', name: 'orders' });
  });

  it('without any sequence is healthy; where all are hidden it is blind, where some are, partly', () => {
    const hidden = { hidden: 2, hiddenSchemas: ['public', '"Shop"'] };
    expect(statusOf(judge([]))).toBe('healthy');
    expect(statusOf(judge([], hidden))).toBe('blind');
    expect(statusOf(judge([use()], hidden))).toBe('healthy');
    expect(judge([], hidden).blind).toEqual([
      {
        kind: 'blind',
        why: 'denied',
        detail: 'how far 2 sequences have come is hidden from starr',
        cure: 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA public, "Shop" TO starr;',
      },
    ]);
  });
});
