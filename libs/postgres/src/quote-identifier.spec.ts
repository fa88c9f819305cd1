import { describe, expect, it } from '@jest/globals';
import { startPostgres } from '@starr/lab';
import { quoteIdentifier, quoteLiteral, quoteQualified } from './quote-identifier.ts';
import { MAJORS } from './test/majors.ts';

it.each([
  ['starr', 'starr'],
  ['_a$1', '_a$1'],
  ['Starr', '"Starr"'],
  ['on-call', '"on-call"'],
  ['a"b', '"a""b"'],
  ['user', '"user"'],
  ['', '""'],
])('%s stands in a statement as %s', (name, quoted) => {
  expect(quoteIdentifier(name)).toBe(quoted);
});

it('a qualified name is quoted in both parts', () => {
  expect(quoteQualified('On Call', 'order')).toBe('"On Call"."order"');
});

describe.each(MAJORS)('PostgreSQL %i', (major) => {
  it('reads names and texts back as they were, its own reserved words too', async () => {
    await using server = await startPostgres({ major });
    const keywords = await server.query(
      `SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')`,
    );
    for (const { word } of keywords)
      expect(quoteIdentifier(String(word))).toBe(`"${String(word)}"`);
    const hostile = ['a"b', `x'; DROP TABLE t; --`, 'Ünïcode', 'back\\slash', "it's", 'a\\"b'];
    const columns = hostile.map((name) => `${quoteLiteral(name)} AS ${quoteIdentifier(name)}`);
    for (const conforming of ['on', 'off']) {
      const [row] = await server.query(
        `SET standard_conforming_strings = ${conforming}; SELECT ${columns.join(', ')}`,
      );
      expect(row).toEqual(Object.fromEntries(hostile.map((name) => [name, name])));
    }
  }, 60_000);
});
