import { readdir, readFile } from 'node:fs/promises';
import { describeDiagnostic, describeRemedy } from '@starr/doctor-host';
import {
  answerSweep,
  bundledPlaybooksUrl,
  catalogIndex,
  parsePlaybook,
  type Playbook,
  type SweepInput,
} from '@starr/incident';
import { jaegerCatalog } from '@starr/jaeger';
import { kubernetesCatalog } from '@starr/kubernetes';
import { postgresCatalog } from '@starr/postgres';
import { redisCatalog } from '@starr/redis';
import { resilienceCatalog } from '@starr/resilience';
import { spreadOf, type Spread } from '../statistics.ts';
import { nightOf, type NightSize } from './night.ts';

export interface MatcherBench {
  readonly relations: number;
  readonly findings: number;
  readonly causes: number;
  readonly whole: Spread;
  /** A quarter of both. */
  readonly quarter: Spread;
}

const WHOLE: NightSize = { services: 50, podsOfEach: 5 };
const QUARTER: NightSize = { services: 12, podsOfEach: 5 };

/** Evidence of a bad night → its answer, with the catalogs and playbooks that Starr has. */
export async function benchMatcher(runs: number): Promise<MatcherBench> {
  const playbooks = await bundledPlaybooks();
  const catalogs = [
    postgresCatalog,
    redisCatalog,
    kubernetesCatalog,
    resilienceCatalog,
    jaegerCatalog,
  ];
  const catalog = catalogIndex(
    catalogs.map((each) => ({
      name: 'doctor',
      targets: [],
      diagnostics: each.diagnostics.map(describeDiagnostic),
      remedies: each.remedies.map(describeRemedy),
    })),
  );
  const inputOf = (size: NightSize): SweepInput => ({
    environment: 'bench',
    startedAt: new Date('2026-11-24T03:12:08Z'),
    endedAt: new Date('2026-11-24T03:12:09Z'),
    results: nightOf(size),
    playbooks,
    catalog,
  });
  const input = inputOf(WHOLE);
  const answer = answerSweep(input);
  return {
    relations: input.results.flatMap(({ relations }) => relations).length,
    findings: answer.findings.length,
    causes: answer.causes.length,
    whole: timed(input, runs),
    quarter: timed(inputOf(QUARTER), runs),
  };
}

function timed(input: SweepInput, runs: number): Spread {
  const tookMs = Array.from({ length: runs }, () => {
    const startedAtMs = performance.now();
    answerSweep(input);
    return performance.now() - startedAtMs;
  });
  return spreadOf(tookMs);
}

async function bundledPlaybooks(): Promise<readonly Playbook[]> {
  const names = (await readdir(bundledPlaybooksUrl)).filter((name) => name.endsWith('.yaml'));
  const parsed = await Promise.all(
    names.map(async (name) =>
      parsePlaybook(await readFile(new URL(name, bundledPlaybooksUrl), 'utf8'), name),
    ),
  );
  return parsed.flatMap((each) => (each.ok ? [each.playbook] : []));
}
