import { createHash, timingSafeEqual } from 'node:crypto';
import {
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  type Metadata,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { DoctorError } from '@starr/kernel';
import { statusFromError } from '@starr/wire';

/** viewer examines, operator also plans and applies, admin also emergency and policies. */
export type Role = 'viewer' | 'operator' | 'admin';

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Who may call with what. */
export interface Credential {
  readonly token: string;
  readonly role: Role;
}

/** Least role of each rpc, by full path; a path that is not listed needs admin. */
export type RequiredRoles = Readonly<Record<string, Role>>;

const OPEN = ['/grpc.health.v1.Health/', '/grpc.reflection.'];

export interface Identity {
  readonly role: Role;
  /** Who says he acts, for the audit; the credential vouches for the role alone. */
  readonly actor: string;
}

/** The identity behind a call's metadata; fails with WIRE_UNAUTHENTICATED. */
export function identify(metadata: Metadata, credentials: readonly Credential[]): Identity {
  const [header] = metadata.get('authorization');
  const token = typeof header === 'string' ? /^bearer (.+)$/i.exec(header)?.[1] : undefined;
  const credential = credentials.find((each) => token !== undefined && sameText(each.token, token));
  if (!credential) {
    throw new DoctorError('WIRE_UNAUTHENTICATED', {
      message:
        token === undefined
          ? 'metadata authorization is absent; allowed: Bearer and the token of starr up'
          : 'the token is not known here',
      details: { field: 'authorization' },
    });
  }
  const [actor] = metadata.get('starr-actor');
  return {
    role: credential.role,
    actor: typeof actor === 'string' && actor !== '' ? actor.slice(0, 256) : credential.role,
  };
}

/** Both sides are hashed first, so that neither length nor content shows in the time. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Every call but health and reflection needs a credential of the role that its rpc requires. */
export function authInterceptor(
  credentials: readonly Credential[],
  required: RequiredRoles,
): ServerInterceptor {
  return (method, call) => {
    if (OPEN.some((prefix) => method.path.startsWith(prefix)))
      return new ServerInterceptingCall(call);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        try {
          checkRole(method.path, identify(metadata, credentials), required);
          next(metadata);
        } catch (error) {
          call.sendStatus(statusFromError(error));
        }
      })
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => {
        next(listener);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}

function checkRole(path: string, { role }: Identity, required: RequiredRoles): void {
  const least = required[path] ?? 'admin';
  if (RANK[role] < RANK[least]) {
    throw new DoctorError('WIRE_FORBIDDEN', {
      message: `${path} needs role ${least}; this credential has ${role}`,
      details: { role, allowed: least },
    });
  }
}
