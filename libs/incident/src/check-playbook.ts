import type { DiagnosticDescription, DoctorDescription, RemedyDescription } from '@starr/kernel';
import { prefixOf } from './id-prefix.ts';
import { positionAt } from './playbook-positions.ts';
import type { Playbook, PlaybookProblem } from './playbook.ts';

/** What the doctors of an environment can be asked and can do. */
export interface CatalogIndex {
  readonly diagnostics: ReadonlyMap<string, DiagnosticDescription>;
  readonly remedies: ReadonlyMap<string, RemedyDescription>;
  /** Prefixes (db, cache) of configured doctors that have not described themselves yet: their ids cannot be judged. */
  readonly undescribed: ReadonlySet<string>;
}

/** `configured`: id prefixes of all configured doctors (db, cache …), described or not. */
export function catalogIndex(
  descriptions: readonly DoctorDescription[],
  configured: readonly string[] = [],
): CatalogIndex {
  const diagnostics = new Map(
    descriptions.flatMap((doctor) => doctor.diagnostics).map((one) => [one.id, one]),
  );
  const remedies = new Map(
    descriptions.flatMap((doctor) => doctor.remedies).map((one) => [one.id, one]),
  );
  const described = new Set([...diagnostics.keys(), ...remedies.keys()].map(prefixOf));
  return {
    diagnostics,
    remedies,
    undescribed: new Set(configured.map(prefixOf).filter((prefix) => !described.has(prefix))),
  };
}

export type PlaybookState =
  | { readonly state: 'active' }
  /** Its doctor is not there; `says` names it. */
  | { readonly state: 'dormant'; readonly says: string }
  | { readonly state: 'invalid'; readonly problems: readonly PlaybookProblem[] };

/** Compares a playbook's ids with the catalogs. An id of an absent doctor is no mistake: the playbook sleeps. */
export function checkPlaybook(playbook: Playbook, catalog: CatalogIndex): PlaybookState {
  const ids = idsOf(playbook);
  const present = new Set([
    ...[...catalog.diagnostics.keys(), ...catalog.remedies.keys()].map(prefixOf),
    ...catalog.undescribed,
  ]);
  const problems = ids.flatMap((id) => problemOf(playbook, id, catalog, present));
  if (problems.length > 0) return { state: 'invalid', problems };
  const absent = playbook.match.filter(({ diagnostics }) =>
    diagnostics.every((id) => !present.has(prefixOf(id))),
  );
  const [first] = absent;
  if (first === undefined) return { state: 'active' };
  const missing = first.diagnostics.join(' or ');
  return {
    state: 'dormant',
    says: `needs ${missing}, and no doctor for ${prefixOf(missing)}.* is configured`,
  };
}

interface UsedId {
  readonly key: string;
  readonly id: string;
  readonly as: 'diagnostics' | 'remedies';
}

function idsOf(playbook: Playbook): readonly UsedId[] {
  const steps = (['relieve', 'cure'] as const).flatMap((role) =>
    playbook[role].map(({ remedy }, index) => ({ key: `${role}.${index}.remedy`, id: remedy })),
  );
  const avoid = playbook.avoid.map(({ remedy }, index) => ({
    key: `avoid.${index}.remedy`,
    id: remedy,
  }));
  const clauses = playbook.match.flatMap(({ name, binds, diagnostics }) =>
    diagnostics.map((id, index) => ({
      key: diagnostics.length === 1 ? `match.${name}.${binds}` : `match.${name}.${binds}.${index}`,
      id,
    })),
  );
  const others = [
    ...playbook.explains.map((id, index) => ({ key: `explains.${index}`, id })),
    ...playbook.against.map(({ diagnostic }, index) => ({
      key: `against.${index}.finding`,
      id: diagnostic,
    })),
    ...(playbook.urgent === undefined
      ? []
      : [{ key: 'urgent.finding', id: playbook.urgent.diagnostic }]),
  ];
  return [
    ...[...clauses, ...others].map((used) => ({ ...used, as: 'diagnostics' as const })),
    ...[...steps, ...avoid].map((used) => ({ ...used, as: 'remedies' as const })),
  ];
}

function problemOf(
  playbook: Playbook,
  { key, id, as }: UsedId,
  catalog: CatalogIndex,
  present: ReadonlySet<string>,
): readonly PlaybookProblem[] {
  const prefix = prefixOf(id);
  if (catalog[as].has(id) || !present.has(prefix) || catalog.undescribed.has(prefix)) return [];
  const known = [...catalog[as].keys()].filter((one) => prefixOf(one) === prefix).sort();
  const allowed = known.length === 0 ? `no ${prefix}.* there` : known.join(', ');
  return [
    {
      file: playbook.origin.file,
      ...positionAt({ values: playbook.origin.positions, keys: {} }, key),
      key,
      received: JSON.stringify(id),
      allowed,
    },
  ];
}
