import {
  isBlindSpot,
  type BlindSpot,
  type Entity,
  type Finding,
  type Measurement,
  type Row,
  type Verdict,
} from '@starr/kernel';
import type { Refusal } from '../postgres-request.ts';

/** The refusal that keeps us out now; undefined: we were let in, or failed for another reason. */
export function standingRefusal(refusals: readonly Refusal[]): Refusal | undefined {
  return refusals.findLast(({ isStanding }) => isStanding);
}

/** The blind spots among what was seen, each once. */
export function unseenOf(seen: readonly unknown[]): BlindSpot[] {
  const blind = seen.filter((each): each is BlindSpot => isBlindSpot(each));
  return [...new Map(blind.map((spot) => [`${spot.why} ${spot.detail}`, spot])).values()];
}

/** What the failed connect alone tells: the limit that was hit, and nothing of who fills it. */
export function turnedAway(
  refusal: Refusal,
  about: Entity,
  measured: readonly Measurement[],
  unseen: readonly BlindSpot[],
): Verdict {
  const finding: Finding = {
    severity: 'critical',
    about,
    says: sentence(refusal),
    measured,
    rows: [rowOf(refusal)],
  };
  return { measured, findings: [finding], blind: unseen };
}

function sentence(refusal: Refusal): string {
  const { by, role, database, usableSlots } = refusal;
  const ordinary = usableSlots === undefined ? 'all slots' : `all ${usableSlots} slots`;
  switch (by) {
    case 'superuser-reserved':
      return `new connections are turned away: ${ordinary} that are not reserved for superusers are in use, by whom is seen only from a session`;
    case 'reserved':
      return `new connections are turned away: ${ordinary} that are not reserved are in use, by whom is seen only from a session`;
    case 'superuser-attribute':
      return `new connections are turned away: ${ordinary} that are not reserved are in use and the reserved ones too; what is left is for superusers`;
    case 'all':
      return 'new connections are turned away, superusers’ too: every slot is in use, by whom is seen only from a session';
    case 'rds-reserved':
      return `new connections are turned away: ${ordinary} are in use but those that Amazon RDS keeps for itself`;
    case 'unknown':
      return `new connections of role ${role} are turned away for want of a slot (SQLSTATE 53300)`;
    case 'pooler-clients':
      return `the pooler in between turns away new clients: as many are connected as its max_client_conn allows; the server itself may be empty`;
    case 'role-limit':
      return `role ${role} is at its connection limit, by sessions of its own: its next connect is refused, whatever slots the server has; ending sessions of other roles does not help`;
    case 'database-limit':
      return `database ${database} is at its connection limit, by the sessions in it: the next connect to it is refused, whatever slots the server has; ending sessions in other databases does not help`;
  }
}

function rowOf({ by, role, database, at }: Refusal): Row {
  return { limit: LIMITS[by], refusedRole: role, database, at: { moment: at.toISOString() } };
}

const LIMITS: Readonly<Record<Refusal['by'], string>> = {
  'superuser-reserved': 'max_connections less superuser_reserved_connections',
  reserved: 'max_connections less reserved_connections and superuser_reserved_connections',
  'superuser-attribute': 'max_connections less superuser_reserved_connections',
  all: 'max_connections',
  'rds-reserved': 'max_connections less what Amazon RDS reserves',
  'role-limit': 'CONNECTION LIMIT of the role',
  'database-limit': 'CONNECTION LIMIT of the database',
  'pooler-clients': 'max_client_conn of the pooler',
  unknown: 'not told',
};
