import { Command } from 'commander';
import { DoctorError, type Value } from '@starr/kernel';
import type { OrchestratorClient, PlanRemedyEvent, PlanRemedyRequest, PlanView } from '@starr/wire';
import { withOrchestrator, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { planText, refusalText } from '../render/plan-text.ts';
import { typedParams } from './typed-params.ts';

interface PlanOptions {
  readonly target?: string;
  readonly param?: readonly string[];
  readonly incident?: string;
  readonly json?: boolean;
}

export function planCommand(context: CommandContext): Command {
  return new Command('plan')
    .description('make a plan: exact operations, bound to the present state; changes nothing')
    .argument('<what>', 'a proposal (INC-7.1), or a remedy (db.terminate-idle-sessions)')
    .option('--target <name>', 'with a remedy: on which target')
    .option('--param <name=value...>', 'parameters of the remedy')
    .option('--incident <id>', 'with a remedy: the incident it belongs to')
    .option('--json', 'the plan as JSON')
    .action(async (what: string, options: PlanOptions) => {
      await withOrchestrator(context, async (orchestrator) => {
        const request = await requestFrom(what, options, orchestrator);
        const events = orchestrator.planRemedy(request, context.signal);
        await follow(context, events, options.json === true);
      });
    });
}

export function undoCommand(context: CommandContext): Command {
  return new Command('undo')
    .description(
      'make a plan that takes an applied plan back, from its receipts and the present state',
    )
    .argument('<plan>', 'the applied plan, such as INC-7.2')
    .option('--json', 'the plan as JSON')
    .action(async (plan: string, { json = false }: { json?: boolean }) => {
      await withOrchestrator(context, (orchestrator) =>
        follow(context, orchestrator.undoPlan(plan, context.signal), json),
      );
    });
}

async function requestFrom(
  what: string,
  { target, param = [], incident }: PlanOptions,
  orchestrator: OrchestratorClient,
): Promise<PlanRemedyRequest> {
  const texts = parseParams(param);
  if (/^INC-\d+\.\d+$/.test(what)) {
    if (param.length === 0) return { plan: what };
    const { remedy } = await orchestrator.getPlan(what);
    return { plan: what, params: await paramsOf(remedy, texts, orchestrator) };
  }
  if (target === undefined) {
    throw new DoctorError('WIRE_INVALID', {
      message: '--target is missing; allowed: the name of a target in starr.yaml',
      details: { field: '--target' },
    });
  }
  const params = await paramsOf(what, texts, orchestrator);
  return { remedy: what, target, params, ...(incident !== undefined && { incident }) };
}

/** A remedy that nobody knows is left to the orchestrator to refuse. */
async function paramsOf(
  remedy: string,
  texts: Readonly<Record<string, string>>,
  orchestrator: OrchestratorClient,
): Promise<Record<string, Value>> {
  if (Object.keys(texts).length === 0) return {};
  const doctors = await orchestrator.describeCatalog();
  const known = doctors.flatMap(({ remedies }) => remedies).find(({ id }) => id === remedy);
  return known === undefined ? { ...texts } : typedParams(texts, known.paramsSchema);
}

export function parseParams(params: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    params.map((text) => {
      const at = text.indexOf('=');
      if (at < 1)
        throw new DoctorError('WIRE_INVALID', {
          message: `--param is ${JSON.stringify(text)}; allowed: name=value`,
          details: { field: '--param', received: text },
        });
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

async function follow(
  context: CommandContext,
  events: AsyncIterable<PlanRemedyEvent>,
  json: boolean,
): Promise<void> {
  const { terminal } = context;
  for await (const event of events) {
    switch (event.kind) {
      case 'progress':
        terminal.progress(event.says);
        break;
      case 'plan':
        terminal.progress(undefined);
        terminal.print(json ? planJson(event.plan) : planText(event.plan));
        break;
      case 'refused':
        terminal.progress(undefined);
        terminal.print(json ? JSON.stringify(event, null, 2) : refusalText(event));
        context.endWith(EXIT.found);
        break;
    }
  }
}

function planJson(plan: PlanView): string {
  return JSON.stringify(
    plan,
    (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  );
}
