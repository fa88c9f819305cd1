import type { Clock } from '@starr/kernel';
import type { KubernetesAccess, KubernetesConfig } from '../kubernetes-config.ts';
import { createAsker, type Asker } from './ask.ts';
import { createConnection } from './connect.ts';
import { createGate } from './gate.ts';

/** One account at one API server, asked politely. */
export interface Client {
  readonly ask: Asker;
  close(): void;
}

const MAX_PARALLEL = 4;
const PER_SECOND = 20;
const BURST = 100;

export function createClient(
  access: KubernetesAccess,
  config: KubernetesConfig,
  clock: Clock,
): Client {
  const connection = createConnection(access);
  const gate = createGate(
    {
      maxParallel: config.maxParallel ?? MAX_PARALLEL,
      perSecond: config.perSecond ?? PER_SECOND,
      burst: config.burst ?? BURST,
    },
    clock,
  );
  return {
    ask: createAsker(connection, gate, clock),
    close: () => {
      connection.close();
    },
  };
}
