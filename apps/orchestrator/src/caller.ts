import type { Metadata } from '@grpc/grpc-js';
import { identify, type Credential } from '@starr/doctor-host';
import type { Opener } from '@starr/store';

/** Who calls, for the audit: what the caller says of himself; the credential vouches for the role alone. */
export function actorOf(metadata: Metadata, credentials: readonly Credential[]): string {
  return identify(metadata, credentials).actor;
}

export function personFrom(actor: string): Opener {
  return { kind: 'person', name: actor };
}
