import { readdirSync, readFileSync } from 'node:fs';
import { bundledPlaybooksUrl } from '../../bundled-playbooks.ts';
import { parsePlaybook } from '../../parse-playbook.ts';
import { playbookProblemText, type Playbook } from '../../playbook.ts';
import { healthyShop } from '../shop.ts';

/** The playbooks that come with Starr, as the orchestrator reads them. */
export function bundledPlaybooks(): readonly Playbook[] {
  return readdirSync(bundledPlaybooksUrl)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => {
      const parsed = parsePlaybook(
        readFileSync(new URL(name, bundledPlaybooksUrl), 'utf8'),
        `playbooks/${name}`,
      );
      if (!parsed.ok) throw new TypeError(parsed.problems.map(playbookProblemText).join('\n'));
      return parsed.playbook;
    });
}

/** Those whose checks the shop of these specs is examined with: none of them sleeps there. */
export function shopPlaybooks(): readonly Playbook[] {
  const asked = new Set(healthyShop().map(({ diagnostic }) => diagnostic));
  return bundledPlaybooks().filter(({ match }) =>
    match.every(({ diagnostics }) => diagnostics.some((id) => asked.has(id))),
  );
}
