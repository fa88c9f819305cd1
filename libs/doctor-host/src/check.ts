import {
  blindSpot,
  isBlindSpot,
  isPartial,
  statusOf,
  type AnyDiagnostic,
  type BlindSpot,
  type CheckResult,
  type Clock,
  type Footprint,
  type Look,
  type Relation,
  type Verdict,
} from '@starr/kernel';
import { ATTRIBUTE, EVENT, inSpan, SPAN, type Log } from '@starr/telemetry';
import type { Span } from '@opentelemetry/api';
import type { HostedTarget } from './hosted-target.ts';
import { add, type Reading, type Saw } from './reading.ts';
import type { Samples } from './samples.ts';

export interface CheckContext {
  readonly target: HostedTarget;
  readonly reading: Reading;
  readonly samples: Samples;
  readonly limits: Readonly<Record<string, number>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One diagnostic on one target: sees, judges, and puts the answer on its span. */
export async function check(
  diagnostic: AnyDiagnostic,
  context: CheckContext,
): Promise<CheckResult> {
  const attributes = {
    [ATTRIBUTE.checkId]: diagnostic.id,
    [ATTRIBUTE.target]: context.target.name,
  };
  return inSpan(SPAN.check(diagnostic.id), { attributes }, async (span) => {
    const result = await look(diagnostic, context);
    describe(span, result);
    const { spanId } = span.spanContext();
    return /^0*$/.test(spanId) ? result : { ...result, spanId };
  });
}

async function look(diagnostic: AnyDiagnostic, context: CheckContext): Promise<CheckResult> {
  const { reading, clock } = context;
  const startedAt = clock.now();
  const at = await reading.look();
  if (isBlindSpot(at))
    return answer(diagnostic, context, {
      verdict: blindVerdict([at]),
      saws: [],
      relations: [],
      startedAt,
    });
  const entries = await Promise.all(
    Object.entries(diagnostic.reads).map(
      async ([name, read]) => [name, read, await reading.see(read)] as const,
    ),
  );
  const saws = entries.map(([, , saw]) => saw);
  const blind = entries.flatMap(([, read, { value }]) =>
    isBlindSpot(value) && read.wrap?.as !== 'optional' ? [value] : [],
  );
  const relations = entries.flatMap(([, read, { value }]) =>
    isBlindSpot(value) ? [] : [...(read.relate?.(value, at) ?? [])],
  );
  const seen = Object.fromEntries(entries.map(([name, , { value }]) => [name, value]));
  const verdict = blind.length > 0 ? blindVerdict(blind) : judge(diagnostic, seen, context, at);
  return answer(diagnostic, context, { verdict, saws, relations, startedAt });
}

function judge(
  diagnostic: AnyDiagnostic,
  seen: Readonly<Record<string, unknown>>,
  context: CheckContext,
  at: Look,
): Verdict {
  try {
    return diagnostic.judge(seen as never, context.limits as never, at);
  } catch (error) {
    // A judge that throws is our defect; the check is blind and says so, the sweep goes on.
    context.log.log('error', `judge of ${diagnostic.id} failed`, {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return blindVerdict([
      blindSpot(
        'unsupported',
        `the judge of ${diagnostic.id} failed on what it saw`,
        'report it with the log of the doctor',
      ),
    ]);
  }
}

interface Parts {
  readonly verdict: Verdict;
  readonly saws: readonly Saw[];
  readonly relations: readonly Relation[];
  readonly startedAt: Date;
}

function answer(
  diagnostic: AnyDiagnostic,
  context: CheckContext,
  { verdict, saws, relations, startedAt }: Parts,
): CheckResult {
  const { reading, target, samples, limits } = context;
  const historySince = earliest(
    Object.values(diagnostic.reads).flatMap((read) =>
      windowedId(read) === undefined ? [] : [samples.since(windowedId(read) ?? '')],
    ),
  );
  const skew = reading.clockSkewMs;
  return {
    diagnostic: diagnostic.id,
    target: target.name,
    verdict,
    relations,
    observedFrom: earliest(saws.map((saw) => saw.observedFrom)) ?? startedAt,
    observedTo: saws.reduce(
      (latest, saw) => (saw.observedTo > latest ? saw.observedTo : latest),
      startedAt,
    ),
    thresholds: limits,
    footprint: saws.reduce<Footprint>((sum, saw) => add(sum, saw.footprint), {}),
    ...(skew !== undefined && { clockSkewMs: skew }),
    ...(historySince && { historySince }),
  };
}

function windowedId(read: AnyDiagnostic['reads'][string]): string | undefined {
  if (read.wrap?.as === 'windowed') return read.wrap.inner.id;
  return read.wrap ? windowedId(read.wrap.inner) : undefined;
}

function earliest(dates: readonly (Date | undefined)[]): Date | undefined {
  return dates.reduce(
    (first, date) => (date && (!first || date < first) ? date : first),
    undefined,
  );
}

export function blindVerdict(blind: readonly BlindSpot[]): Verdict {
  const unique = [...new Map(blind.map((spot) => [`${spot.why} ${spot.detail}`, spot])).values()];
  return { measured: [], blind: unique };
}

/** A finding is an event, not an error: otherwise every sick patient makes the doctor look broken. */
function describe(span: Span, { verdict }: CheckResult): void {
  const findings = verdict.findings ?? [];
  span.setAttributes({
    [ATTRIBUTE.checkStatus]: statusOf(verdict),
    [ATTRIBUTE.checkPartial]: isPartial(verdict),
    [ATTRIBUTE.findingCount]: findings.length,
    ...(findings[0] && {
      [ATTRIBUTE.findingSeverity]: findings.some(({ severity }) => severity === 'critical')
        ? 'critical'
        : 'warning',
    }),
  });
  for (const finding of findings.slice(0, 5)) {
    span.addEvent(EVENT.finding, {
      [ATTRIBUTE.findingSeverity]: finding.severity,
      [ATTRIBUTE.findingAbout]: `${finding.about.kind} ${finding.about.name}`,
      [ATTRIBUTE.findingSays]: finding.says,
    });
  }
  for (const change of (verdict.changes ?? []).slice(0, 5)) {
    span.addEvent(EVENT.change, {
      [ATTRIBUTE.findingAbout]: `${change.about.kind} ${change.about.name}`,
      [ATTRIBUTE.findingSays]: change.says,
    });
  }
  for (const spot of (verdict.blind ?? []).slice(0, 5)) {
    span.addEvent(EVENT.blind, {
      [ATTRIBUTE.blindWhy]: spot.why,
      [ATTRIBUTE.blindDetail]: spot.detail,
      [ATTRIBUTE.blindCure]: spot.cure ?? '',
    });
  }
}
