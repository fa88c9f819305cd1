import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export const houseRoot = resolve(import.meta.dirname, '../../../..');
const folder = join(houseRoot, 'docs/policies');

/** One block of TypeScript of a page. */
export interface DocExample {
  /** Page and number, `breaker-1`. */
  readonly says: string;
  readonly text: string;
}

export interface DocPage {
  readonly file: string;
  readonly text: string;
  readonly examples: readonly DocExample[];
}

export async function readDocPages(): Promise<readonly DocPage[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.md'));
  return await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), 'utf8');
      const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)];
      const examples = blocks.map(([, code = ''], number) => ({
        says: `${file.replace('.md', '')}-${number + 1}`,
        text: code,
      }));
      return { file, text, examples };
    }),
  );
}
