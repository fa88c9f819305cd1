import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DoctorDescription } from '@starr/kernel';
import { z } from 'zod';
import type { DescriptionMemory } from './doctor-roster.ts';

/** Enough of the form that a damaged file is noticed; the rest was checked when it came over the wire. */
const descriptionSchema = z.looseObject({
  name: z.string(),
  targets: z.array(z.looseObject({ name: z.string(), kind: z.string(), acts: z.boolean() })),
  diagnostics: z.array(z.looseObject({ id: z.string(), title: z.string() })),
  remedies: z.array(z.looseObject({ id: z.string(), title: z.string() })),
});

/** One JSON file a doctor. They hold names and texts of the catalog, nothing of a patient. */
export function descriptionFiles(folder: string): DescriptionMemory {
  const pathOf = (doctor: string) => join(folder, `${doctor}.json`);
  return {
    load: async (doctor) => {
      const text = await readFile(pathOf(doctor), 'utf8').catch(() => undefined);
      if (text === undefined) return undefined;
      const parsed = descriptionSchema.safeParse(JSON.parse(text));
      return parsed.success ? (parsed.data as unknown as DoctorDescription) : undefined;
    },
    save: async (doctor, description) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const draft = `${pathOf(doctor)}.${process.pid}`;
      await writeFile(draft, JSON.stringify(description), { mode: 0o600 });
      await rename(draft, pathOf(doctor));
    },
  };
}
