import { catalogIndex, checkPlaybook, playbookProblemText } from '@starr/incident';
import type { PlaybooksView, PlaybookStateView } from '@starr/wire';
import type { DoctorRoster } from '../doctors/doctor-roster.ts';
import type { LoadedPlaybooks } from '../playbooks/load-playbooks.ts';

const DESCRIBE_WITHIN_MS = 2000;

/** Every playbook in force against the catalogs of the doctors. */
export async function checkPlaybooks(
  roster: DoctorRoster,
  load: () => Promise<LoadedPlaybooks>,
): Promise<PlaybooksView> {
  const [described, loaded] = await Promise.all([roster.described(DESCRIBE_WITHIN_MS), load()]);
  const catalog = catalogIndex(
    described.flatMap(({ description }) => description ?? []),
    roster.members.flatMap(({ prefixes }) => prefixes),
  );
  const playbooks: PlaybookStateView[] = [];
  const problems = [...loaded.problems];
  for (const playbook of loaded.playbooks) {
    const state = checkPlaybook(playbook, catalog);
    if (state.state === 'invalid') problems.push(...state.problems.map(playbookProblemText));
    else
      playbooks.push({
        id: playbook.id,
        title: playbook.title,
        ...(state.state === 'dormant' && { dormantBecause: state.says }),
      });
  }
  return {
    playbooks: playbooks.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
    problems,
  };
}
