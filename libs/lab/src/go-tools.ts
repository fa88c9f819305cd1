import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from './cache.ts';
import { type Compilation, compileGo } from './compile-go.ts';
import { findGoToolchain } from './go-toolchain.ts';
import { becomeOneBuilder } from './one-builder.ts';

/** Programs that are compiled together, because they share most of what they are made of. */
export type GoToolset = 'kubernetes' | 'kubectl' | 'jaeger' | 'grpcurl';

export interface GoTools {
  readonly kind: 'present';
  /** The folder that holds the programs. */
  readonly folder: string;
}

/** Why there are none and what would help: for a test to skip with, for a person to read. */
export interface NoGoTools {
  readonly kind: 'missing';
  readonly why: string;
}

export interface BuildProgress {
  readonly toolset: GoToolset;
  /** `waiting`: another process is building the same, and this is its progress. */
  readonly step: 'waiting' | 'downloading' | 'compiling';
  /** Modules downloaded, or packages compiled, so far. */
  readonly done: number;
  /** Packages in all; 0 while that is unknown. Those that Go has in its own cache are skipped. */
  readonly total: number;
  readonly elapsedMs: number;
}

export interface BuildOptions {
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Ends the build; what is compiled so far stays in Go's cache. */
  readonly signal?: AbortSignal;
}

interface Recipe {
  readonly module: string;
  /** Package path to program name. */
  readonly programs: Readonly<Record<string, string>>;
  readonly linkerFlags: string;
}

const KUBERNETES = 'v1.36.3';
const kubernetesFlags = [
  'gitVersion=' + KUBERNETES,
  'gitMajor=1',
  'gitMinor=36',
  'gitTreeState=clean',
]
  .map((fact) => `-X k8s.io/component-base/version.${fact}`)
  .join(' ');

const RECIPES: Record<GoToolset, Recipe> = {
  kubernetes: {
    module: 'kubernetes',
    programs: {
      'go.etcd.io/etcd/server/v3': 'etcd', // Go would call it "server"
      'k8s.io/kubernetes/cmd/kube-apiserver': 'kube-apiserver',
      'k8s.io/kubernetes/cmd/kube-controller-manager': 'kube-controller-manager',
      'k8s.io/kubernetes/cmd/kube-scheduler': 'kube-scheduler',
    },
    linkerFlags: `-s -w ${kubernetesFlags}`,
  },
  // on its own: only a person and the benchmark want it, and the servers should not wait for it
  kubectl: {
    module: 'kubernetes',
    programs: { 'k8s.io/kubernetes/cmd/kubectl': 'kubectl' },
    linkerFlags: `-s -w ${kubernetesFlags}`,
  },
  jaeger: {
    module: 'jaeger',
    programs: { 'github.com/jaegertracing/jaeger/cmd/jaeger': 'jaeger' },
    linkerFlags: '-s -w',
  },
  grpcurl: {
    module: 'grpcurl',
    programs: { 'github.com/fullstorydev/grpcurl/cmd/grpcurl': 'grpcurl' },
    linkerFlags: '-s -w -X main.version=v1.9.4',
  },
};

/** The programs if they are built already; asks no toolchain and waits for nobody. */
export async function findGoTools(toolset: GoToolset): Promise<GoTools | NoGoTools> {
  const folder = await folderOf(toolset);
  return (await exists(folder))
    ? { kind: 'present', folder }
    : { kind: 'missing', why: `${toolset} is not compiled yet` };
}

/**
 * The programs, compiled on first use: minutes once, at the lowest priority, into the cache; at once
 * afterwards. Two that ask at the same time, also in different processes, share one build.
 * Rejects when the compiler does; a machine without a current Go answers `missing`.
 */
export async function buildGoTools(
  toolset: GoToolset,
  options: BuildOptions = {},
): Promise<GoTools | NoGoTools> {
  const folder = await folderOf(toolset);
  if (await exists(folder)) return { kind: 'present', folder };
  const toolchain = await findGoToolchain(moduleFolder(RECIPES[toolset]));
  if (toolchain.kind === 'missing') return toolchain;
  const signal = options.signal ?? new AbortController().signal;
  const report = options.onProgress ?? (() => undefined);
  const lock = await becomeOneBuilder(
    folder,
    (line) => {
      report({ ...(JSON.parse(line) as BuildProgress), step: 'waiting' });
    },
    signal,
  );
  try {
    if (!(await exists(folder))) {
      await build(toolset, folder, signal, (progress) => {
        lock.say(JSON.stringify(progress));
        report(progress);
      });
    }
    return { kind: 'present', folder };
  } finally {
    await lock.release();
  }
}

/** Built beside its place and moved there whole, so that nobody ever sees half of it. */
async function build(
  toolset: GoToolset,
  folder: string,
  signal: AbortSignal,
  report: (progress: BuildProgress) => void,
): Promise<void> {
  const startedAt = performance.now();
  const draft = `${folder}.${process.pid}`;
  await mkdir(draft, { recursive: true, mode: 0o755 });
  try {
    await compileGo(
      compilationOf(RECIPES[toolset], draft),
      (step, done, total) => {
        report({
          toolset,
          step,
          done,
          total,
          elapsedMs: Math.round(performance.now() - startedAt),
        });
      },
      signal,
    );
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function compilationOf(recipe: Recipe, outputFolder: string): Compilation {
  return {
    moduleFolder: moduleFolder(recipe),
    programs: recipe.programs,
    linkerFlags: recipe.linkerFlags,
    outputFolder,
  };
}

function moduleFolder(recipe: Recipe): string {
  return fileURLToPath(new URL(`../go/${recipe.module}`, import.meta.url));
}

/** Whatever could change the programs is in the name: sources by their checksums, and how they are compiled. */
async function folderOf(toolset: GoToolset): Promise<string> {
  const recipe = RECIPES[toolset];
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) {
    hash.update(await readFile(join(moduleFolder(recipe), file)));
  }
  hash.update(
    JSON.stringify([recipe.programs, recipe.linkerFlags, process.platform, process.arch]),
  );
  return join(cacheDir(), 'go', `${toolset}-${hash.digest('hex').slice(0, 16)}`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
