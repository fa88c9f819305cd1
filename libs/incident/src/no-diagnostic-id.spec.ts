import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { catalogOf } from './test/build.ts';

const folder = new URL('./', import.meta.url);
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
  .map((name) => [name, withoutComments(readFileSync(new URL(name, folder), 'utf8'))] as const);

/** Examples in comments and in messages of the schema are no knowledge of the matcher. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replace(/error: '[^']*'/g, '');
}

describe('the matcher', () => {
  const catalog = catalogOf();
  const ids = [...catalog.diagnostics.keys(), ...catalog.remedies.keys()];

  it('reads its sources', () => {
    expect(sources.map(([name]) => name)).toEqual(
      expect.arrayContaining(['match.ts', 'rank.ts', 'link.ts']),
    );
  });

  it.each(sources)('knows no diagnostic and no remedy by its id: %s', (_, text) => {
    expect(ids.filter((id) => text.includes(id))).toEqual([]);
    expect(text).not.toMatch(/\b(?:db|cache|k8s|resilience|traces)\.[a-z]+-?[a-z]+['"`]/);
  });
});
