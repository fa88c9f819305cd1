import { expect, it } from '@jest/globals';
import { quoteIdentifier } from './quote-identifier.ts';

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
