import type { UnseenDoctor } from '@starr/incident';
import { blindSpot } from '@starr/kernel';
import type { ExpectedCheck } from '@starr/wire';
import type { DescribedMember, RosterMember } from '../doctors/doctor-roster.ts';
import { invalidField, isWanted, type SweepPlan } from './sweep-request.ts';

/** What one doctor is asked for in a sweep. */
export interface DoctorAsk {
  readonly member: RosterMember;
  /** Empty: all of its own; never names that it does not have, since it would refuse them. */
  readonly targets: readonly string[];
  readonly diagnostics: readonly string[];
  /** What must have a result in the end, seen or blind. */
  readonly expected: readonly ExpectedCheck[];
}

export interface Asks {
  readonly asks: readonly DoctorAsk[];
  /** Doctors that never said what they can be asked. */
  readonly unseen: readonly UnseenDoctor[];
}

/** Who is asked for what. WIRE_INVALID: a name that no doctor has, when all of them are known. */
export function doctorAsks(described: readonly DescribedMember[], plan: SweepPlan): Asks {
  checkNames(described, plan);
  const asks: DoctorAsk[] = [];
  const unseen: UnseenDoctor[] = [];
  for (const { member, description, away } of described) {
    if (description === undefined) {
      if (!mayConcern(member, plan)) continue;
      const spot = away ?? blindSpot('unreachable', `${member.name} does not answer`);
      unseen.push({ doctor: member.name, prefixes: member.prefixes, spot });
      continue;
    }
    const targets = description.targets.map(({ name }) => name).filter(wanted(plan.targets));
    const ids = description.diagnostics.map(({ id }) => id).filter(wanted(plan.diagnostics));
    const expected = targets.flatMap((target) =>
      ids.map((diagnostic) => ({ diagnostic, target, doctor: member.name })),
    );
    if (expected.length === 0) continue;
    asks.push({
      member,
      targets: plan.targets.length === 0 ? [] : targets,
      diagnostics: plan.diagnostics.length === 0 ? [] : ids,
      expected,
    });
  }
  return { asks, unseen };
}

function wanted(chosen: readonly string[]): (name: string) => boolean {
  return (name) => isWanted(chosen, name);
}

function mayConcern({ prefixes }: RosterMember, { diagnostics }: SweepPlan): boolean {
  return (
    diagnostics.length === 0 ||
    diagnostics.some((id) => prefixes.some((prefix) => id.startsWith(prefix)))
  );
}

function checkNames(described: readonly DescribedMember[], plan: SweepPlan): void {
  const silent = described.filter(({ description }) => description === undefined);
  const known = described.flatMap(({ description }) => description ?? []);
  const targets = known.flatMap((each) => each.targets.map(({ name }) => name));
  const ids = known.flatMap((each) => each.diagnostics.map(({ id }) => id));
  // A target of a doctor that never answered cannot be told from a typing error.
  const strange = plan.targets.find((name) => silent.length === 0 && !targets.includes(name));
  if (strange !== undefined) throw invalidField('targets', strange, listed(targets));
  const prefixes = silent.flatMap(({ member }) => member.prefixes);
  const unknown = plan.diagnostics.find(
    (id) => !ids.includes(id) && !prefixes.some((prefix) => id.startsWith(prefix)),
  );
  if (unknown !== undefined) throw invalidField('diagnostics', unknown, listed(ids));
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none is configured' : [...new Set(names)].sort().join(', ');
}
