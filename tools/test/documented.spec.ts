import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { starrYamlSchema } from '@starr/config';
import { ERROR_CODES } from '@starr/kernel';
import { CATALOGS } from '../generate/catalogs.ts';

describe('what is written down', () => {
  it('deploy/ports.md lists the ports that starr.yaml has when it says nothing, and no others', async () => {
    const page = await readFile('deploy/ports.md', 'utf8');
    const listed = [...page.matchAll(/^\| (\d+) \|[^|]+\| `listen\.(\w+)`/gm)].map(
      ([, port, key]) => [key, Number(port)],
    );
    const { host: _host, ...ports } = starrYamlSchema.parse({ environment: 'x' }).listen;
    expect(Object.fromEntries(listed)).toEqual(ports);
  });

  it('docs/errors.md holds every code, and no others', async () => {
    const page = await readFile('docs/errors.md', 'utf8');
    const documented = [...page.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, code]) => code);
    expect(documented.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it('docs/catalog/ has a page for every id, and no others', async () => {
    const ids = CATALOGS.flatMap(({ catalog }) =>
      [...catalog.diagnostics, ...catalog.remedies].map(({ id }) => `${id}.md`),
    );
    const pages = (await readdir('docs/catalog')).filter((name) => name !== 'README.md');
    expect(pages.toSorted()).toEqual(ids.toSorted());
  });

  it.each(CATALOGS.map(({ library, catalog }) => [library, catalog] as const))(
    'libs/%s: the files of diagnostics and remedies are its catalog, each with its spec',
    async (library, catalog) => {
      for (const [folder, kit, entries] of [
        ['diagnostics', 'defineDiagnostic(', catalog.diagnostics],
        ['remedies', 'defineRemedy(', catalog.remedies],
      ] as const) {
        const files = await readdir(`libs/${library}/src/${folder}`).catch((): string[] => []);
        const sources = files.filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
        const defining = await Promise.all(
          sources.map(async (name) =>
            (await readFile(`libs/${library}/src/${folder}/${name}`, 'utf8')).includes(kit)
              ? [name.replace(/\.ts$/, '')]
              : [],
          ),
        );
        const names = entries.map(({ id }) => id.replace(/^[a-z0-9]+\./, ''));
        expect(defining.flat().toSorted()).toEqual(names.toSorted());
        expect(files).toEqual(expect.arrayContaining(names.map((name) => `${name}.spec.ts`)));
      }
    },
  );
});
