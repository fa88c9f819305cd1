import { durationText, entityText, type Effect, type PlannedOperation } from '@starr/kernel';
import type { PlanRemedyEvent, PlanView } from '@starr/wire';

/** A plan as an approver reads it: what, on what, how to take it back, what must move, and the hash that he approves. */
export function planText(plan: PlanView): string {
  const { sealed } = plan;
  if (!sealed)
    return `${plan.id}  ${plan.role}  ${plan.says}  (proposed; starr plan ${plan.id} makes it exact)`;
  const operations = sealed.operations.flatMap((operation, index) => [
    `  ${index + 1}  ${operation.says}${marks(operation)}`,
    ...byHandLines(operation.byHand, plan.id),
  ]);
  return [
    `PLAN ${plan.id}  ${plan.remedy} on ${plan.target}`,
    ...operations,
    `touches  ${sealed.touches.map(({ name, value }) => `${name} ${value}`).join(', ')}`,
    `effect   ${effectText(sealed.effect)}`,
    ...sealed.warnings.map((warning) => `warning  ${warning}`),
    `valid    until ${sealed.expiresAt.toISOString()}`,
    `hash     ${sealed.hash}`,
    `apply    starr apply ${plan.id} --approve ${sealed.hash}`,
  ].join('\n');
}

/** A list of sessions can be long: the beginning shows its form, the whole is in the JSON. */
const BY_HAND_LINES = 6;

function byHandLines(byHand: string, plan: string): string[] {
  const lines = byHand.split('\n');
  const shown = lines
    .slice(0, BY_HAND_LINES)
    .map((line, index) => `     ${index === 0 ? 'by hand  ' : '         '}${line}`);
  const left = lines.length - shown.length;
  return left === 0
    ? shown
    : [...shown, `              … ${left} more lines: starr show ${plan} --json`];
}

function effectText(effect: Effect): string {
  const bound = effect.below === undefined ? `above ${effect.above}` : `below ${effect.below}`;
  return (
    `${effect.measurement} of ${entityText(effect.about)} ${bound}, after ${durationText(effect.settleMs)}, ` +
    `held for ${durationText(effect.holdMs)}, within ${durationText(effect.withinMs)} (${effect.diagnostic})`
  );
}

export function refusalText({
  says,
  blind,
  byHand,
}: Extract<PlanRemedyEvent, { kind: 'refused' }>): string {
  const spots = blind.map(
    ({ why, detail, cure }) => `  ${why}  ${detail}${cure === undefined ? '' : `  cure: ${cure}`}`,
  );
  return [`NO PLAN  ${says}`, ...spots, ...byHand.map((command) => `by hand  ${command}`)].join(
    '\n',
  );
}

function marks({ reversible, isLong = false }: PlannedOperation): string {
  const said = [...(reversible ? [] : ['irreversible']), ...(isLong ? ['may take long'] : [])];
  return said.length === 0 ? '' : `  (${said.join(', ')})`;
}
