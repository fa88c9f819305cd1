import { describe, expect, it } from '@jest/globals';
import { maskSql } from './masking.ts';

describe('a statement without its literals', () => {
  it.each([
    ["SELECT 'jane@example.org', 4711", 'SELECT ?, ?'],
    [
      "SELECT a FROM t WHERE b = 'x' AND c = 'y' LIMIT 10",
      'SELECT a FROM t WHERE b = ? AND c = ? LIMIT ?',
    ],
    ["WHERE name = 'it''s' AND z = 1", 'WHERE name = ? AND z = ?'],
    [String.raw`WHERE name = E'a\'secret' AND z = 1`, 'WHERE name = ? AND z = ?'],
    [
      "WHERE bits = B'0101' AND hex = x'ff' AND n = N'jane'",
      'WHERE bits = ? AND hex = ? AND n = ?',
    ],
    ['WHERE body = $$se"cret$$ AND other = $t1$jane$t1$', 'WHERE body = ? AND other = ?'],
    ['WHERE id = $1 AND other = $2', 'WHERE id = $1 AND other = $2'],
    ['WHERE id IN (1, 2, 3) AND x = -1.5e3', 'WHERE id IN (?) AND x = ?'],
    ['SELECT 1 -- of jane\n/* and john */ FROM t1', 'SELECT ? FROM t1'],
    ["SELECT 'cut off in the midd", 'SELECT ?'],
    ['SELECT "Column" FROM "Table"', 'SELECT "Column" FROM "Table"'],
    ['', ''],
  ])('%s', (sql, masked) => {
    expect(maskSql(sql)).toBe(masked);
  });

  it('masks too much rather than too little where a backslash may or may not escape', () => {
    expect(maskSql(String.raw`WHERE a = 'x\' AND b = 'secret'`)).toBe('WHERE a = ?');
    expect(maskSql(String.raw`WHERE a = 'x\'secret' AND b = 1`)).toBe('WHERE a = ?');
    expect(maskSql(String.raw`WHERE a = 'x\\' AND b = 'y'`)).toBe('WHERE a = ? AND b = ?');
  });
});
