import type { Alterable, Alterables } from '../reads/alterable.ts';

/** A role with a limit of 20 that is reached, with whatever a spec wants otherwise. */
export function alterable(more: Partial<Alterable> = {}): Alterable {
  return {
    of: 'role',
    name: 'checkout',
    limit: 20,
    sessions: 20,
    isSuperuser: false,
    mayAlter: true,
    owner: '',
    isSuperusers: false,
    isActedAs: false,
    settings: [],
    ...more,
  };
}

export function alterables(
  all: readonly Alterable[],
  inDatabase: Alterables['inDatabase'] = [],
): Alterables {
  return { all, inDatabase, truncated: false };
}
