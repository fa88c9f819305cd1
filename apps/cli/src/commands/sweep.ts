import { Command, Option } from 'commander';
import { DoctorError, parseDurationMs } from '@starr/kernel';
import { ATTRIBUTE, inSpan, SPAN } from '@starr/telemetry';
import type { AnswerView, OrchestratorClient, SweepEvent, SweepRequest } from '@starr/wire';
import { withOrchestrator, type CommandContext } from '../command-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

type FailOn = 'finding' | 'critical' | 'never';

interface SweepOptions {
  readonly only: readonly string[];
  readonly window?: string;
  readonly json: boolean;
  readonly all: boolean;
  readonly failOn: FailOn;
}

export function sweepCommand(context: CommandContext): Command {
  return new Command('sweep')
    .description(
      'examine everything that is configured; ranked causes, what could not be seen, what to do',
    )
    .option(
      '--only <what...>',
      'diagnostics (db.connection-use), families (db.*) or targets (orders)',
      [],
    )
    .option('--window <span>', 'how far back questions reach, such as 30m')
    .option('--all', 'also the healthy checks', false)
    .option('--json', 'the answer as JSON, in the shape of docs/answer-json.md', false)
    .addOption(
      new Option('--fail-on <what>', 'what ends with exit code 1')
        .choices(['finding', 'critical', 'never'])
        .default('finding'),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing found and all seen, 1 found, 2 nothing found but something could not be seen, 3 failed.',
    )
    .action(async (options: SweepOptions) => {
      await withOrchestrator(context, async (orchestrator, { config }) => {
        const attributes = { [ATTRIBUTE.environment]: config.environment };
        await inSpan(SPAN.command('sweep'), { attributes, root: true }, () =>
          run(context, orchestrator, options),
        );
      });
    });
}

async function run(
  context: CommandContext,
  orchestrator: OrchestratorClient,
  options: SweepOptions,
): Promise<void> {
  const { terminal, signal } = context;
  const request = await requestFrom(options, orchestrator);
  const seen: Seen = { done: 0, expected: 0, traceId: undefined, answer: undefined };
  for await (const event of orchestrator.sweep(request, signal)) take(event, seen, terminal);
  terminal.progress(undefined);
  if (!seen.answer)
    throw new DoctorError('WIRE_UNREACHABLE', {
      message: 'the orchestrator ended the sweep without an answer',
    });
  terminal.print(
    options.json
      ? jsonOf(seen.answer, seen.traceId)
      : await textOf(seen.answer, seen.traceId, options.all, terminal),
  );
  context.endWith(exitCode(seen.answer, options.failOn));
}

interface Seen {
  done: number;
  expected: number;
  traceId: string | undefined;
  answer: AnswerView | undefined;
}

function take(event: SweepEvent, seen: Seen, terminal: Terminal): void {
  switch (event.kind) {
    case 'started':
      seen.expected = event.expected.length;
      seen.traceId = event.traceId;
      if (event.joined) terminal.note('joined a sweep that is already under way');
      break;
    case 'check':
      seen.done += 1;
      terminal.progress(
        `${seen.done} of ${seen.expected}  ${event.result.diagnostic}  ${event.result.target}`,
      );
      break;
    case 'answer':
      seen.answer = event.answer;
      break;
    case 'notice':
      terminal.progress(undefined);
      terminal.note(event.says);
      break;
    case 'ended':
      break;
  }
}

/** `--only` takes ids, families and targets alike; what it does not know it names. */
async function requestFrom(
  { only, window }: SweepOptions,
  orchestrator: OrchestratorClient,
): Promise<SweepRequest> {
  const windowMs = window === undefined ? undefined : parseDurationMs(window);
  if (window !== undefined && windowMs === undefined) {
    throw new DoctorError('WIRE_INVALID', {
      message: `--window is ${JSON.stringify(window)}; allowed: a span such as 30m or 2h`,
      details: { field: '--window', received: window },
    });
  }
  if (only.length === 0) return { ...(windowMs !== undefined && { windowMs }) };
  const doctors = await orchestrator.describeCatalog();
  const ids = doctors.flatMap(({ diagnostics }) => diagnostics.map(({ id }) => id));
  const names = doctors.flatMap(({ targets }) => targets.map(({ name }) => name));
  const targets = only.filter((each) => names.includes(each));
  const diagnostics = only
    .filter((each) => !names.includes(each))
    .flatMap((each) => matching(each, ids, names));
  return { targets, diagnostics, ...(windowMs !== undefined && { windowMs }) };
}

function matching(pattern: string, ids: readonly string[], names: readonly string[]): string[] {
  const found = ids.filter(
    (id) => id === pattern || (pattern.endsWith('.*') && id.startsWith(pattern.slice(0, -1))),
  );
  if (found.length > 0) return found;
  const allowed = [...names, ...ids].join(', ');
  throw new DoctorError('WIRE_INVALID', {
    message: `--only is ${JSON.stringify(pattern)}; allowed: ${allowed}`,
    details: { field: '--only', received: pattern, allowed },
  });
}

/** What renders is loaded for those who read it; a script asks for JSON. */
async function textOf(
  answer: AnswerView,
  traceId: string | undefined,
  all: boolean,
  terminal: Terminal,
): Promise<string> {
  const { answerText } = await import('../render/answer-text.ts');
  const { incident } = answer;
  return answerText(answer, {
    all,
    isColoured: terminal.isColoured,
    ...(incident !== undefined && { incident }),
    ...(traceId !== undefined && { traceId }),
  });
}

function jsonOf(answer: AnswerView, traceId: string | undefined): string {
  const { answerJson, incident, proposals } = answer;
  const plans = proposals.map(({ plan, role, says, remedy, target }) => ({
    plan,
    role,
    says,
    remedy,
    target,
  }));
  return JSON.stringify(
    { incident, traceId, plans, answer: JSON.parse(answerJson) as unknown },
    null,
    2,
  );
}

export function exitCode(
  { severity, blindChecks }: Pick<AnswerView, 'severity' | 'blindChecks'>,
  failOn: FailOn,
): ExitCode {
  const found =
    severity !== undefined &&
    (failOn === 'finding' || (failOn === 'critical' && severity === 'critical'));
  if (found) return EXIT.found;
  return blindChecks > 0 && severity === undefined ? EXIT.blind : EXIT.seen;
}
