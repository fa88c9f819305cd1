import { DoctorError } from '@starr/kernel';
import type { ProcessMember } from './process-fleet.ts';

const pageSize = { standard: 100, most: 500 };

export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly service: string;
}

/** The token is the last process of the page before, so that one that comes or goes shifts nothing. */
export function listPage(
  members: readonly ProcessMember[],
  request: PageRequest,
): { readonly members: readonly ProcessMember[]; readonly nextPageToken: string } {
  const size = request.pageSize === 0 ? pageSize.standard : request.pageSize;
  if (size < 1 || size > pageSize.most) {
    throw invalid('page_size', String(request.pageSize), `0 to ${pageSize.most}`);
  }
  const after = request.pageToken === '' ? undefined : keyOfToken(request.pageToken);
  const matching = members.filter(
    ({ identity }) =>
      (request.service === '' || identity.service === request.service) &&
      (after === undefined || isAfter([identity.service, identity.instance], after)),
  );
  const page = matching.slice(0, size);
  const last = page.at(-1)?.identity;
  return {
    members: page,
    nextPageToken:
      last !== undefined && matching.length > size
        ? Buffer.from(JSON.stringify([last.service, last.instance])).toString('base64url')
        : '',
  };
}

type Key = readonly [service: string, instance: string];

/** The order of the fleet: JSON text of service and instance. */
function isAfter(key: Key, other: Key): boolean {
  return JSON.stringify(key) > JSON.stringify(other);
}

function keyOfToken(token: string): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(key) && typeof key[0] === 'string' && typeof key[1] === 'string') {
      return [key[0], key[1]];
    }
  } catch {
    // said below
  }
  throw invalid('page_token', token, 'the next_page_token of the page before');
}

function invalid(field: string, received: string, allowed: string): DoctorError {
  const shown = received.slice(0, 64);
  return new DoctorError('WIRE_INVALID', {
    message: `${field} is ${JSON.stringify(shown)}; allowed: ${allowed}`,
    details: { field, received: shown, allowed },
  });
}
