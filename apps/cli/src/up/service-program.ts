import { fileURLToPath } from 'node:url';

/** How a service process is started. */
export interface ServiceProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** Folder below apps/ of each of the five. */
const FOLDERS = {
  'db-doctor': 'db-doctor',
  'cache-doctor': 'cache-doctor',
  'k8s-doctor': 'k8s-doctor',
  resilience: 'resilience',
  orchestrator: 'orchestrator',
} as const;

/** The five services, run from source or from dist, as this file itself is. */
export function servicePrograms(): readonly ServiceProgram[] {
  const isSource = import.meta.url.endsWith('.ts');
  const conditions = isSource
    ? ['--conditions=@starr/source', '--disable-warning=ExperimentalWarning']
    : [];
  return Object.entries(FOLDERS).map(([name, folder]) => ({
    name,
    command: process.execPath,
    args: [
      ...conditions,
      '--import',
      import.meta.resolve('@starr/telemetry/preload'),
      mainOf(folder, isSource),
    ],
  }));
}

function mainOf(folder: string, isSource: boolean): string {
  // src/up/ and dist/up/ are equally deep below apps/cli
  return fileURLToPath(
    new URL(`../../../${folder}/${isSource ? 'src/main.ts' : 'dist/main.js'}`, import.meta.url),
  );
}
