import { textOfValue, type SealedPlan } from '@starr/kernel';
import type { Answer, NextStep } from './answer.ts';
import { measurementWords } from './measurement-text.ts';
import { GAP, harmless, labelled, wrapCommand, type Style } from './text-layout.ts';

/** A command of this many lines is read where the plan is shown whole. */
const MAX_COMMAND_LINES = 6;

export interface ReportPlan {
  /** INC-7.1. */
  readonly id: string;
  /** Absent: not planned yet. */
  readonly sealed?: SealedPlan;
}

export interface NextReport {
  /** INC-7; absent: nothing was recorded, so that nothing can be planned by number. */
  readonly incident?: string;
  readonly plans: readonly ReportPlan[];
  readonly width: number;
  readonly style: Style;
}

/** What relieves and cures, as plans where there are some, otherwise as what would be planned. */
export function reportNext(answer: Answer, report: NextReport): readonly string[] {
  const steps = answer.causes.flatMap((cause) => cause.steps);
  return steps.flatMap((step) => reportStep(step, report));
}

function reportStep(step: NextStep, report: NextReport): readonly string[] {
  const id = report.incident === undefined ? undefined : `${report.incident}.${step.number}`;
  const plan = report.plans.find((one) => one.id === id);
  const sealed = plan?.sealed;
  const command =
    id === undefined ? '' : sealed === undefined ? `starr plan ${id}` : `starr apply ${id}`;
  const says = sealed === undefined ? stepText(step) : operationsText(sealed);
  const head = command === '' ? says : `${command}${GAP}${says}`;
  const layout = { indent: 2, column: 11, width: report.width };
  const beneath = (label: string, text: string) => labelled(label, harmless(text), layout);
  return [
    ...beneath(step.role, head),
    ...(step.missing.length > 0 ? beneath('', `needs ${step.missing.join(', ')}`) : []),
    ...(sealed === undefined ? [] : sealedLines(sealed, beneath, report)),
  ];
}

/** `End idle sessions on orders (application checkout)`. */
export function stepText({ title, target, params }: NextStep): string {
  const values = Object.entries(params).map(([name, value]) => `${name} ${textOfValue(value)}`);
  return `${title} on ${target}${values.length === 0 ? '' : ` (${values.join(', ')})`}`;
}

function operationsText({ operations }: SealedPlan): string {
  return operations.map(({ says }) => says).join('; then ');
}

function sealedLines(
  sealed: SealedPlan,
  beneath: (label: string, text: string) => readonly string[],
  { width, style }: NextReport,
): readonly string[] {
  const touches = sealed.touches.map(({ name, value }) => `${measurementWords(name)} ${value}`);
  const reversible = sealed.operations.every((operation) => operation.reversible);
  const facts = [...touches, reversible ? 'reversible' : 'irreversible'];
  return [
    ...beneath('', facts.join('; ')),
    ...sealed.warnings.flatMap((warning) => beneath('', warning)),
    ...sealed.operations.flatMap(({ byHand }) => byHandLines(byHand, width, style)),
  ];
}

function byHandLines(byHand: string, width: number, style: Style): readonly string[] {
  const lines = byHand.split('\n').flatMap((line) => wrapCommand(harmless(line), width - 11));
  const shown = lines.slice(0, MAX_COMMAND_LINES);
  const left = lines.length - shown.length;
  return [
    ...shown.map(
      (line, index) => `${index === 0 ? '  by hand  ' : ' '.repeat(11)}${style('command', line)}`,
    ),
    ...(left > 0 ? [`${' '.repeat(11)}${left} more lines: starr show, or --json`] : []),
  ];
}
