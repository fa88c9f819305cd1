import { Command } from 'commander';
import { DoctorError } from '@starr/kernel';
import type { ApplyPlanEvent, OrchestratorClient, PlanView } from '@starr/wire';
import { withOrchestrator, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { applyLine } from '../render/apply-line.ts';
import { planText } from '../render/plan-text.ts';

interface ApplyOptions {
  readonly approve?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

export function applyCommand(context: CommandContext): Command {
  return new Command('apply')
    .description(
      'approve a plan and carry it out, at most once; verify its effect (0 established, 1 not)',
    )
    .argument('<plan>', 'such as INC-7.2')
    .option('--approve <hash>', 'the hash that the plan printed; without it a terminal asks')
    .option('--reason <text>', 'why; kept in the audit')
    .option('--json', 'events as JSON, one a line')
    .action(async (id: string, options: ApplyOptions) => {
      await withOrchestrator(context, async (orchestrator, { config }) => {
        const plan = await exact(context, orchestrator, id);
        const hash =
          options.approve ?? (await approveOnTerminal(context, plan, config.environment));
        await orchestrator.approvePlan({
          plan: id,
          hash,
          reason: options.reason ?? `approved with starr apply ${id}`,
        });
        await follow(
          context,
          orchestrator.applyPlan(id, hash, context.signal),
          options.json === true,
        );
      });
    });
}

/** A proposal is made exact first, so that what is approved is what was read. */
async function exact(
  context: CommandContext,
  orchestrator: OrchestratorClient,
  id: string,
): Promise<PlanView> {
  const plan = await orchestrator.getPlan(id);
  if (plan.state !== 'proposed') return plan;
  for await (const event of orchestrator.planRemedy({ plan: id }, context.signal)) {
    if (event.kind === 'plan') return event.plan;
    if (event.kind === 'refused')
      throw new DoctorError('REMEDY_REFUSED', {
        message: [event.says, ...event.byHand.map((line) => `by hand: ${line}`)].join('\n'),
      });
  }
  throw new DoctorError('PLAN_UNKNOWN', { message: `${id} could not be made exact` });
}

/** With a terminal the environment's name is typed: a yes would be typed by habit. */
async function approveOnTerminal(
  { terminal }: CommandContext,
  plan: PlanView,
  environment: string,
): Promise<string> {
  const hash = plan.sealed?.hash;
  if (!terminal.isInteractive || hash === undefined) {
    throw new DoctorError('PLAN_NOT_APPROVED', {
      message: `--approve is missing; allowed without a terminal: the hash that starr plan ${plan.id} prints`,
      details: { field: '--approve' },
    });
  }
  terminal.print(planText(plan));
  const typed = await terminal.ask(`type ${environment} to apply: `);
  if (typed !== environment)
    throw new DoctorError('PLAN_NOT_APPROVED', {
      message: `typed ${JSON.stringify(typed)}, not ${environment}; nothing was done`,
    });
  return hash;
}

async function follow(
  context: CommandContext,
  events: AsyncIterable<ApplyPlanEvent>,
  json: boolean,
): Promise<void> {
  const { terminal } = context;
  for await (const event of events) {
    if (json)
      terminal.print(
        JSON.stringify(event, (_key, value: unknown) =>
          typeof value === 'bigint' ? value.toString() : value,
        ),
      );
    else if (event.kind === 'effect' && event.state !== 'established' && event.state !== 'missed')
      terminal.progress(applyLine(event));
    else {
      terminal.progress(undefined);
      terminal.print(applyLine(event));
    }
    if (event.kind === 'ended')
      context.endWith(event.plan.state === 'established' ? EXIT.seen : EXIT.found);
  }
}
