import { type Server, createServer } from 'node:net';

/** Loopback addresses for the pods of one node: `127.0.<n>.1` to `.253`. */
export interface PodSubnet {
  readonly cidr: string;
  /** The next free address; those given back are used again as late as possible. */
  take(): string;
  giveBack(address: string): void;
  release(): Promise<void>;
}

const FIRST = 101; // 127.0.100.x are the nodes
const LAST = 250;
const PER_NODE = 253;

/**
 * Claims a subnet that no other lab of this machine uses, since two pods on one address would quarrel
 * over its ports. The claim is a listening abstract Unix socket: of the same network namespace as the
 * addresses, and gone with its holder.
 */
export async function claimPodSubnet(): Promise<PodSubnet> {
  for (let third = FIRST; third <= LAST; third += 1) {
    const claim = createServer((socket) => socket.destroy());
    if (await claims(claim, `\0starr-lab/pod-subnet/${third}`)) return subnetFrom(third, claim);
  }
  throw new Error(`no free pod subnet between 127.0.${FIRST}.0 and 127.0.${LAST}.0`);
}

function subnetFrom(third: number, claim: Server): PodSubnet {
  claim.unref();
  const taken = new Set<number>();
  let last = 0;
  return {
    cidr: `127.0.${third}.0/24`,
    take() {
      for (let tries = 0; tries < PER_NODE; tries += 1) {
        last = (last % PER_NODE) + 1;
        if (taken.has(last)) continue;
        taken.add(last);
        return `127.0.${third}.${last}`;
      }
      throw new Error(`all ${PER_NODE} addresses of 127.0.${third}.0/24 are in use`);
    },
    giveBack(address) {
      taken.delete(Number(address.split('.').at(-1)));
    },
    release: () =>
      new Promise((resolve) => {
        claim.close(() => {
          resolve();
        });
      }),
  };
}

function claims(server: Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(address, () => {
      resolve(true);
    });
  });
}
