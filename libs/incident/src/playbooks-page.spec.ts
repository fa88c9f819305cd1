import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parsePlaybook } from './parse-playbook.ts';
import { ALLOWED_KEYS } from './playbook-schema.ts';
import { REFERENCE_FORM } from './reference.ts';

const page = await readFile('docs/playbooks.md', 'utf8');

describe('docs/playbooks.md', () => {
  it('shows a playbook that is valid', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(parsePlaybook(example, 'docs/playbooks.md')).toMatchObject({
      ok: true,
      playbook: { id: 'cache-slows-checkout' },
    });
  });

  it.each(Object.entries(ALLOWED_KEYS))('names every key that is allowed at "%s"', (_, keys) => {
    expect(keys.filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
  });

  it('names every form of a reference', () => {
    expect(REFERENCE_FORM.split(', ').filter((form) => !page.includes(`\`${form}\``))).toEqual([]);
  });
});
