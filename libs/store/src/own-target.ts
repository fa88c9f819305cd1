import { lookup } from 'node:dns/promises';

/** Where a PostgreSQL target is, as configured. */
export interface ServerPlace {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 5432;

/**
 * The targets that are the store's own server, whatever the database. A store in the patient is away exactly when it is
 * needed, and pollutes what is measured. Servers are compared by address and port: the orchestrator holds no credential
 * of a patient, so it cannot ask one for its system identifier. Names that do not resolve are compared as they are.
 */
export async function targetsThatAreTheStore(
  storeUrl: string,
  targets: readonly ServerPlace[],
): Promise<readonly string[]> {
  const url = new URL(storeUrl);
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  const store = await addressesOf(decodeURIComponent(url.hostname));
  const same: string[] = [];
  for (const target of targets) {
    if (target.port !== port) continue;
    const addresses = await addressesOf(target.host);
    if ([...addresses].some((address) => store.has(address))) same.push(target.name);
  }
  return same;
}

async function addressesOf(host: string): Promise<ReadonlySet<string>> {
  const bare = host.replace(/^\[|\]$/g, '');
  const found = await lookup(bare, { all: true }).catch(() => []);
  return new Set([bare.toLowerCase(), ...found.map(({ address }) => address)].map(loopbackAsOne));
}

function loopbackAsOne(address: string): string {
  return address === 'localhost' || address === '::1' ? '127.0.0.1' : address;
}
