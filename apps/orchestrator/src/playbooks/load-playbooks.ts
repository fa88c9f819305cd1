import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  bundledPlaybooksUrl,
  parsePlaybook,
  playbookProblemText,
  type Playbook,
} from '@starr/incident';
import { DoctorError } from '@starr/kernel';

export interface LoadedPlaybooks {
  readonly playbooks: readonly Playbook[];
  /** `file:line:column: key: …`; those files are left out. */
  readonly problems: readonly string[];
}

/** Those that come with Starr and those of the folder; one of the folder replaces one with the same id. Read at every sweep: editing one needs no restart. */
export async function loadPlaybooks(folder: string | undefined): Promise<LoadedPlaybooks> {
  const bundled = await loadFolder(fileURLToPath(bundledPlaybooksUrl));
  if (folder === undefined) return bundled;
  const own = await loadFolder(folder);
  const replaced = new Set(own.playbooks.map(({ id }) => id));
  return {
    playbooks: [...bundled.playbooks.filter(({ id }) => !replaced.has(id)), ...own.playbooks],
    problems: [...bundled.problems, ...own.problems],
  };
}

async function loadFolder(folder: string): Promise<LoadedPlaybooks> {
  const playbooks: Playbook[] = [];
  const problems: string[] = [];
  for (const name of await fileNames(folder)) {
    const path = join(folder, name);
    const parsed = parsePlaybook(await readFile(path, 'utf8'), path);
    if (parsed.ok) playbooks.push(parsed.playbook);
    else problems.push(...parsed.problems.map(playbookProblemText));
  }
  return { playbooks, problems };
}

async function fileNames(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
  } catch (error) {
    throw new DoctorError('CONFIG_UNREADABLE', {
      message: `the folder of playbooks ${folder} cannot be read`,
      cause: error,
      details: { field: 'playbooks', received: folder },
    });
  }
}
