import { fileURLToPath } from 'node:url';

export type ShopRole = 'checkout' | 'worker' | 'payments' | 'traffic' | 'setup';

const SHOP = fileURLToPath(new URL('../../../../apps/shop/', import.meta.url));
const SOURCE_ADDRESS = new URL('../node-agent/source-address.ts', import.meta.url).href;

/** How a role of the shop is started, as a process here or as the container of a pod. */
export interface ShopProgram {
  /** The command and its arguments. */
  readonly entrypoint: readonly string[];
  readonly workingDir: string;
  /** What the role always needs; a pod's template adds to it. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The shop is an application and may not be imported: it is started by its path, from source.
 * Telemetry is preloaded, since it must hook pg and ioredis before they are imported.
 */
export function shopProgram(role: ShopRole): ShopProgram {
  return {
    entrypoint: [
      process.execPath,
      '--conditions=@starr/source',
      '--disable-warning=ExperimentalWarning',
      '--import=@starr/telemetry/preload',
      'src/main.ts',
      role,
    ],
    workingDir: SHOP,
    env: { OTEL_SERVICE_NAME: role },
  };
}

/**
 * What a node agent runs for the shop's images, by name without tag. An image may be faulty by its
 * tag, e.g. `{ 'shop/checkout:1.8.2': 'leak-connections:3' }`: then nothing in the cluster tells its
 * bug but what it does.
 */
export function shopImages(
  faulty: Readonly<Record<string, string>> = {},
): Readonly<Record<string, ShopProgram>> {
  const images: Record<string, ShopProgram> = {
    'shop/checkout': shopProgram('checkout'),
    'shop/worker': shopProgram('worker'),
  };
  for (const [image, faults] of Object.entries(faulty)) {
    const program = images[image.replace(/:[^:]*$/, '')];
    if (program === undefined) throw new Error(`${image} is no image of the shop`);
    images[image] = { ...program, env: { ...program.env, FAULTS: faults } };
  }
  return images;
}

/** For NODE_OPTIONS: outgoing connections come from `STARR_POD_IP`, so that the other side sees a pod. */
export function sourceAddressOption(): string {
  return `--import=${SOURCE_ADDRESS}`;
}
