import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  defineDiagnostic,
  defineRemedy,
  DoctorError,
  windowed,
  type Adapter,
  type Catalog,
  type Read,
} from '@starr/kernel';
import { z } from 'zod';

/** A real patient that needs no server: a folder. Too many files in it are a finding; a file can be set aside and put back. */
export interface FolderRequest {
  readonly list: true;
}
export interface FolderAct {
  readonly move: string;
  readonly to: string;
}

const filesRead: Read<readonly string[], FolderRequest> = {
  id: 'folder.files',
  timeoutMs: 400,
  maxRows: 1000,
  request: () => ({ list: true }),
  parse: (raw) => z.array(z.string()).parse(raw),
  relate: (files, { target }) =>
    files.map((name) => ({
      from: { kind: 'file', name, scope: target },
      is: 'in',
      to: { kind: 'folder', name: target },
    })),
};

const folderFiles = defineDiagnostic({
  id: 'folder.files',
  title: 'Files in the folder',
  explains: 'Counts files; more than the limit is a finding.',
  replaces: ['ls | wc -l'],
  reads: { files: filesRead },
  thresholds: { most: { value: 2, unit: 'count', says: 'most files', source: 'this spec' } },
  measures: { files: { unit: 'count', says: 'files in the folder' } },
  judge({ files }, { most }, { target }) {
    const about = { kind: 'folder', name: target };
    const measured = [{ name: 'files', about, value: files.length, limit: most }];
    if (files.length <= most) return { measured };
    return {
      measured,
      findings: [
        { severity: 'warning', about, says: `${files.length} files in ${target}`, measured },
      ],
    };
  },
});

const folderGrowth = defineDiagnostic({
  id: 'folder.growth',
  title: 'Growth of the folder',
  explains: 'Compares two samples.',
  replaces: [],
  reads: { files: windowed(filesRead) },
  thresholds: {},
  measures: { grown: { unit: 'count', says: 'files more than before' } },
  judge: ({ files }, _limits, { target }) => ({
    measured: [
      {
        name: 'grown',
        about: { kind: 'folder', name: target },
        value: files.after.length - files.before.length,
      },
    ],
  }),
});

const setAside = defineRemedy({
  id: 'folder.set-aside',
  title: 'Set a file aside',
  explains: 'Renames it.',
  params: z.strictObject({ file: z.string().min(1), isLong: z.boolean().default(false) }),
  reads: { files: filesRead },
  plan({ file, isLong }, { files }, { target }) {
    if (!files.includes(file)) return { refused: `${file} is not there` };
    return planMove(file, `${file}.aside`, target, isLong);
  },
  undo: ([receipt], _seen, { target }) => {
    const { move, to } = receipt?.act as { move: string; to: string };
    return planMove(to, move, target);
  },
});

function planMove(move: string, to: string, target: string, isLong = false) {
  const about = { kind: 'folder', name: target };
  return {
    operations: [
      {
        act: { move, to },
        says: `rename ${move} to ${to}`,
        byHand: `mv ${move} ${to}`,
        reversible: true,
        onRefused: 'stop' as const,
        onFailed: 'stop' as const,
        ...(isLong && { isLong }),
      },
    ],
    effect: {
      diagnostic: 'folder.files',
      about,
      measurement: 'files',
      below: 3,
      settleMs: 0,
      holdMs: 0,
      withinMs: 1000,
      onMiss: 'ask' as const,
    },
    touches: [{ name: 'files', about, value: 1 }],
    warnings: [],
  };
}

export const folderCatalog: Catalog<FolderRequest, FolderAct> = {
  diagnostics: [folderFiles, folderGrowth],
  remedies: [setAside],
  resolvers: [{ kinds: ['file'], read: filesRead }],
};

export interface FolderAdapter extends Adapter<FolderRequest, FolderAct> {
  queues?: boolean;
  performs: number;
  applies: number;
  /** Set by a spec to make the patient ill. */
  illness: 'none' | 'denied' | 'hangs' | 'long-line' | 'slow-act';
}

export function createFolderAdapter(path: string): FolderAdapter {
  const files = async () => (await readdir(path)).toSorted();
  const exists = (name: string) =>
    stat(join(path, name)).then(
      () => true,
      () => false,
    );
  const adapter: FolderAdapter = {
    performs: 0,
    applies: 0,
    illness: 'none',
    greet: () => Promise.resolve({ version: '1', now: new Date() }),
    async perform(_request, limit) {
      adapter.performs += 1;
      limit.spend('lists', 1);
      if (adapter.illness === 'denied')
        throw new DoctorError('TARGET_DENIED', {
          message: 'no leave to list',
          details: { cure: `chmod o+r ${path}` },
        });
      // longer than a read may take
      if (adapter.illness === 'long-line') await new Promise((resolve) => setTimeout(resolve, 800));
      if (adapter.illness === 'hangs') await new Promise(() => undefined);
      return files();
    },
    async *apply({ move, to }) {
      adapter.applies += 1;
      yield { kind: 'progress', says: `moving ${move}` };
      if (adapter.illness === 'slow-act') await new Promise((resolve) => setTimeout(resolve, 300));
      if (!(await exists(move))) {
        yield { kind: 'outcome', outcome: 'refused', says: `${move} is gone` };
        return;
      }
      await rename(join(path, move), join(path, to));
      yield { kind: 'outcome', outcome: 'applied', before: { name: move }, after: { name: to } };
    },
    async probe({ move, to }) {
      if (await exists(to))
        return { state: 'applied', before: { name: move }, after: { name: to } };
      return { state: 'not-applied', says: `${move} was not moved` };
    },
    close: () => Promise.resolve(),
  };
  return adapter;
}
