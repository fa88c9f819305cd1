import { describe, expect, it } from '@jest/globals';
import { blindSpot, type Severity } from '@starr/kernel';
import type { IndexInfo } from '../reads/indexes.ts';
import type { TableScan } from '../reads/plan-scans.ts';
import type { PlannedIndex, StatementScans } from '../reads/statement-scans.ts';
import type { TableStats } from '../reads/tables.ts';
import { indexesOf, indexInfo } from '../test/index-info.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { tableStats, tablesOf } from '../test/table-stats.ts';
import { missingIndexes } from './missing-indexes.ts';

const MB = 1024 ** 2;
const ago = (ms: number) => new Date(lookOf().now.getTime() - ms);

const scan = (more: Partial<TableScan> = {}): TableScan => ({
  schema: 'public',
  table: 'orders',
  rows: 100,
  equal: ['customer_id'],
  range: [],
  ...more,
});
const planned = (...scans: TableScan[]): StatementScans => ({
  queryId: '77',
  text: 'SELECT * FROM orders WHERE customer_id = $1',
  evidence: 'generic plan',
  scans,
  trials: [],
});
const wantedIndex = { schema: 'public', table: 'orders', columns: ['customer_id'] };
function tried(costBefore: number, costAfter: number, isUsed = true): StatementScans {
  const trial = { ...wantedIndex, kind: 'planned', isUsed, costBefore, costAfter } as const;
  return { ...planned(scan()), trials: [trial] };
}
function untold(more: Partial<PlannedIndex & { readonly kind: 'unknown' }> = {}): StatementScans {
  const trial = {
    ...wantedIndex,
    kind: 'unknown',
    why: 'timeout',
    detail: 'slow',
    ...more,
  } as const;
  return { ...planned(scan()), trials: [trial] };
}
function fromText(more: Partial<TableScan> = {}): StatementScans {
  const { rows: _, ...bare } = scan(more);
  return {
    ...planned(bare),
    evidence: 'statement text',
    whyNoPlan: 'this role may not read its table',
  };
}

interface Case {
  readonly scans?: StatementScans;
  readonly table?: Partial<TableStats>;
  readonly before?: Partial<TableStats>;
  readonly indexes?: readonly IndexInfo[];
  readonly calls?: number;
  readonly meanMs?: number;
  /** Of everything else within the window. */
  readonly restMs?: number;
  readonly since?: Date;
  readonly elapsedMs?: number;
}

function judge(given: Case) {
  const { calls = 100, meanMs = 50, restMs = 0, elapsedMs = 60_000, since } = given;
  const counters = { key: '5/77', maxMs: 0, rows: 0, ...(since && { since }) };
  const rest = { key: '5/1', calls: 1, totalMs: 0, maxMs: 0, rows: 0 };
  const table = tableStats({ seqScans: 200, seqRows: 200_000_000, ...given.table });
  const then = tableStats({ seqScans: 100, seqRows: 100_000_000, ...given.before });
  return missingIndexes.judge(
    {
      tables: { before: tablesOf([then]), after: tablesOf([table]), elapsedMs },
      indexes: indexesOf(given.indexes ?? []),
      scans: [given.scans ?? planned(scan())],
      runs: [],
      statements: {
        before: {
          byKey: new Map([
            ['5/77', { ...counters, calls: 1000, totalMs: 1000 }],
            ['5/1', rest],
          ]),
          totalMs: 0,
          truncated: false,
        },
        after: {
          byKey: new Map([
            ['5/77', { ...counters, calls: 1000 + calls, totalMs: 1000 + calls * meanMs }],
            ['5/1', { ...rest, calls: 2, totalMs: restMs }],
          ]),
          totalMs: 0,
          truncated: false,
        },
        elapsedMs,
      },
    },
    limitsOf(missingIndexes),
    lookOf(),
  );
}

describe('db.missing-indexes', () => {
  it.each<[string, Case, Severity | undefined]>([
    ['a slow statement reads it whole', { restMs: 10_000 }, 'warning'],
    ['just below half of all time', { restMs: 5001 }, 'warning'],
    ['half of all time', { restMs: 5000 }, 'critical'],
    ['just too small', { table: { sizeBytes: 10 * MB - 1 } }, undefined],
    ['just large enough', { table: { sizeBytes: 10 * MB } }, 'critical'],
    ['just too fast', { meanMs: 19.9 }, undefined],
    ['just slow', { meanMs: 20 }, 'critical'],
    ['just too seldom', { calls: 49 }, undefined],
    ['just often enough', { calls: 50 }, 'critical'],
    ['finds just too many', { scans: planned(scan({ rows: 100_001 })) }, undefined],
    ['finds a tenth', { scans: planned(scan({ rows: 100_000 })) }, 'critical'],
    ['looks for nothing', { scans: planned(scan({ equal: [] })) }, undefined],
    ['no scan in its plan', { scans: planned() }, undefined],
    ['another table', { scans: planned(scan({ table: 'customers' })) }, undefined],
    ['another schema', { scans: planned(scan({ schema: 'archive' })) }, undefined],
    ['the plan is of old, nobody scans', { before: { seqScans: 200 } }, undefined],
    ['the index is there', { indexes: [indexInfo()] }, undefined],
    ['of another table', { indexes: [indexInfo({ table: 'customers' })] }, 'critical'],
    ['it is invalid', { indexes: [indexInfo({ isValid: false })] }, 'critical'],
    ['it is partial', { indexes: [indexInfo({ predicate: '{x}' })] }, 'critical'],
    [
      'it begins otherwise',
      { indexes: [indexInfo({ columns: ['a', 'customer_id'] })] },
      'critical',
    ],
    ['HypoPG: it saves just half', { scans: tried(1000, 500) }, 'critical'],
    ['HypoPG: it saves just less', { scans: tried(1000, 500.1) }, undefined],
    ['HypoPG: just dear enough', { scans: tried(100, 1) }, 'critical'],
    ['HypoPG: just too cheap', { scans: tried(99.9, 1) }, undefined],
    ['HypoPG: not used', { scans: tried(1000, 1, false) }, undefined],
    ['HypoPG: of another index', { scans: { ...tried(1, 1), trials: [] } }, 'critical'],
    ['HypoPG: could not tell', { scans: untold() }, 'critical'],
    ['from its text', { scans: fromText() }, 'critical'],
    [
      'from its text, just too few rows a scan',
      { scans: fromText(), table: { seqRows: 100_000_000 + 999_999 } },
      undefined,
    ],
    [
      'from its text, enough rows a scan',
      { scans: fromText(), table: { seqRows: 100_000_000 + 1_000_000 } },
      'critical',
    ],
  ])('%s', (_, given, severity) => {
    expect(judge(given).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says what is looked for, with the level of evidence, the statement and what to create', () => {
    const [finding] = judge({
      scans: planned(scan({ range: ['created_at'] })),
      table: { inserted: 300 },
      restMs: 15_000,
      since: ago(120_000),
    }).findings!;
    expect(finding).toMatchObject({
      about: { kind: 'table', name: 'public.orders', scope: 'orders' },
      says: 'public.orders in shop (100 MB) is read whole by a statement that looks for customer_id, created_at: 50 ms on average, 25 % of the time of all, new of late (evidence: generic plan)',
      since: ago(120_000),
      rows: [
        {
          schema: 'public',
          table: 'orders',
          columns: 'customer_id, created_at',
          queryId: '77',
          evidence: 'generic plan',
          writesPerMinute: 300,
          create: 'CREATE INDEX CONCURRENTLY ON public.orders (customer_id, created_at);',
        },
      ],
      involves: [
        { kind: 'database', name: 'shop' },
        { kind: 'statement', name: '77' },
      ],
    });
  });

  it('with HypoPG names what the statement costs before and after', () => {
    const { findings, blind } = judge({ scans: tried(4711.4, 8.5) });
    expect(findings).toMatchObject([
      {
        says: expect.stringContaining(
          '(evidence: HypoPG: the planner would use it, cost 4711 → 9)',
        ),
        rows: [{ evidence: 'HypoPG', costBefore: 4711.4, costAfter: 8.5 }],
      },
    ]);
    expect(blind).toEqual([]);
  });

  it('where HypoPG could not tell, the lower level is named, and why', () => {
    const cure = 'GRANT USAGE ON SCHEMA x TO starr;';
    const { findings, blind } = judge({ scans: untold({ why: 'denied', detail: 'no way', cure }) });
    expect(findings).toMatchObject([{ rows: [{ evidence: 'generic plan' }] }]);
    expect(blind).toMatchObject([
      {
        why: 'denied',
        detail: expect.stringMatching(/no way; the evidence is the generic plan$/),
        cure,
      },
    ]);
  });

  it('from a text says what would show more, and without evidence nothing', () => {
    const { findings, blind } = judge({ scans: fromText() });
    expect(findings?.[0]?.says).toContain('(evidence: statement text)');
    expect(blind).toMatchObject([
      { why: 'denied', cure: 'GRANT SELECT ON public.orders TO starr;' },
    ]);
  });

  it('is blind for want of history where samples are too close and counters old', () => {
    const verdict = judge({ elapsedMs: 4999 });
    expect(verdict.findings).toEqual([]);
    expect(verdict.blind?.map(({ why }) => why)).toEqual(['no-history']);
    expect(judge({ elapsedMs: 5000 }).findings).toHaveLength(1);
  });

  it('measures the scans of large tables, healthy or not, and says what it could not see', () => {
    const { measured } = judge({ scans: planned() });
    expect(measured.map(({ name, about, value }) => [name, about.name, value])).toEqual([
      ['missingIndexes', 'orders', 0],
      ['seqRowsPerMinute', 'orders', 100_000_000],
      ['seqRowsPerMinute', 'public.orders', 100_000_000],
    ]);
    const counters = { byKey: new Map(), totalMs: 0, truncated: false };
    const blind = missingIndexes.judge(
      {
        tables: { before: tablesOf([]), after: tablesOf([]), elapsedMs: 60_000 },
        indexes: indexesOf([]),
        scans: blindSpot('timeout', 'slow'),
        runs: [],
        statements: { before: counters, after: counters, elapsedMs: 60_000 },
      },
      limitsOf(missingIndexes),
      lookOf(),
    );
    expect(blind).toMatchObject({ findings: [], blind: [{ why: 'timeout' }] });
  });
});
