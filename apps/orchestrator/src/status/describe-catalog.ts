import type { DoctorCatalogView } from '@starr/wire';
import type { DoctorRoster } from '../doctors/doctor-roster.ts';

const DESCRIBE_WITHIN_MS = 2000;

/** All doctors in the order of the configuration; an absent one as it was last known. */
export async function describeCatalog(roster: DoctorRoster): Promise<readonly DoctorCatalogView[]> {
  const described = await roster.describedNow(DESCRIBE_WITHIN_MS);
  return described.map(({ member, description, away }) => ({
    diagnostics: [],
    remedies: [],
    targets: [],
    ...description,
    name: member.name,
    isReachable: away === undefined && description !== undefined,
  }));
}
