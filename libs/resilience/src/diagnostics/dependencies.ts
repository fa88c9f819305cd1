import {
  blindSpot,
  defineDiagnostic,
  type BlindSpot,
  type Finding,
  type Measurement,
} from '@starr/kernel';
import { dependencyEntity } from '../entities.ts';
import { dependenciesRead } from '../reads/dependencies.ts';
import { processesRead } from '../reads/processes.ts';
import type { DependencyProbe } from '../request.ts';

const thresholds = {
  failingStatus: {
    value: 500,
    unit: 'status',
    says: 'an HTTP status from this on means that the dependency does not work',
    source: 'RFC 9110 section 15.6: 5xx, the server failed to fulfil an apparently valid request',
  },
} as const;

const firstBadStatus = 400;

export const dependencies = defineDiagnostic({
  id: 'resilience.dependencies',
  title: 'Dependencies',
  explains:
    'GETs the configured URL of each dependency, twice when the first fails. One that does not answer, or answers with a server error, is a finding. ' +
    'One that answers while a breaker to it stays open shows that the breaker is open without need. ' +
    'By hand: curl the same URL from a pod of the service that calls it.',
  replaces: ['curl -v https://api.external-service.com/health', 'check_external_apis'],
  // the processes are read for their relations: which breaker guards which dependency
  reads: { probes: dependenciesRead, processes: processesRead },
  thresholds,
  measures: {
    answerMs: { unit: 'ms', says: 'time to the answer of the dependency' },
    answered: { unit: 'count', says: '1: it answered well; 0: it did not' },
  },
  judge: ({ probes }, limits) => ({
    measured: probes.flatMap((probe) => measurementsOf(probe, limits.failingStatus)),
    findings: probes.flatMap((probe) => findingOf(probe, limits.failingStatus)),
    blind: probes.flatMap((probe) => blindSpotOf(probe, limits.failingStatus)),
  }),
});

type Seen = 'well' | 'failing' | 'not-told';

/** A client error tells that somebody is there, not that the dependency works. */
function seenOf({ outcome }: DependencyProbe, failingStatus: number): Seen {
  if (outcome.kind === 'failed' || outcome.status >= failingStatus) return 'failing';
  return outcome.status >= firstBadStatus ? 'not-told' : 'well';
}

function measurementsOf(probe: DependencyProbe, failingStatus: number): Measurement[] {
  const about = dependencyEntity(probe.name);
  const seen = seenOf(probe, failingStatus);
  if (seen === 'not-told') return [];
  return [
    { name: 'answered', about, value: seen === 'well' ? 1 : 0, limit: 1 },
    ...(probe.outcome.kind === 'answered'
      ? [{ name: 'answerMs', about, value: probe.outcome.answerMs }]
      : []),
  ];
}

function findingOf(probe: DependencyProbe, failingStatus: number): Finding[] {
  if (seenOf(probe, failingStatus) !== 'failing') return [];
  const { name, outcome } = probe;
  const how =
    outcome.kind === 'failed'
      ? `does not answer: ${outcome.why}, ${outcome.attempts} attempts`
      : `answers with status ${outcome.status}`;
  return [
    {
      severity: 'critical',
      about: dependencyEntity(name),
      says: `dependency ${name} ${how}`,
      measured: measurementsOf(probe, failingStatus),
    },
  ];
}

function blindSpotOf(probe: DependencyProbe, failingStatus: number): BlindSpot[] {
  if (seenOf(probe, failingStatus) !== 'not-told' || probe.outcome.kind === 'failed') return [];
  const { status } = probe.outcome;
  return [
    blindSpot(
      status === 401 || status === 403 ? 'denied' : 'unsupported',
      `dependency ${probe.name} answers with status ${status}: somebody is there, but whether it works is not told`,
      `Give a URL that answers 2xx without a credential under dependencies of the target, for ${probe.name}.`,
    ),
  ];
}
