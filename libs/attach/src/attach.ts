import { credentials } from '@grpc/grpc-js';
import { ResilienceServiceClient, type ProcessIdentity } from '@starr/wire';
import { AttachLoop } from './attach-loop.ts';
import type { AttachOptions } from './attach-options.ts';

export interface Attachment {
  readonly instance: string;
  readonly state: 'attached' | 'away' | 'stopped';
  /** Detaches cleanly; resolves within a second. An attached process that does not stop is not ended by an empty event loop. */
  stop(): Promise<void>;
}

/**
 * Joins this process to the resilience service, and joins it again whenever it was lost. Never throws, never
 * blocks a policy, never waits for the service: policies work the same without it.
 */
export function attach(options: AttachOptions): Attachment {
  const client = new ResilienceServiceClient(
    options.address,
    options.credentials ?? credentials.createInsecure(),
    {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      // a service that hangs, or a network that swallows, must not pass for an attachment
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5000,
    },
  );
  const identity: ProcessIdentity = {
    service: options.policies.service,
    instance: options.instance ?? crypto.randomUUID(),
    pid: process.pid,
    startedAt: new Date(Date.now() - Math.round(process.uptime() * 1000)),
    ...(options.version !== undefined && { version: options.version }),
    ...(options.pod && { pod: options.pod }),
  };
  const loop = new AttachLoop(client, identity, options);
  loop.start();
  return {
    instance: identity.instance,
    get state() {
      return loop.state;
    },
    stop: () => loop.stop(),
  };
}
