import { styleText } from 'node:util';
import { DoctorError } from '@starr/kernel';
import { answerFromJson, reportAnswer, type ReportPlan, type TextRole } from '@starr/incident';
import type { AnswerView } from '@starr/wire';
import { table } from './table.ts';

export interface AnswerTextOptions {
  readonly incident?: string;
  readonly traceId?: string;
  readonly plans?: readonly ReportPlan[];
  /** Also the healthy checks with their measurements. */
  readonly all: boolean;
  readonly isColoured: boolean;
}

const FORMAT = {
  critical: ['bold', 'red'],
  warning: ['bold', 'yellow'],
  fine: ['bold', 'green'],
  heading: ['bold'],
  dim: ['dim'],
  command: ['cyan'],
} as const satisfies Record<TextRole, Parameters<typeof styleText>[0]>;

/** An answer as people read it. */
export function answerText(
  view: AnswerView,
  { all, isColoured, ...options }: AnswerTextOptions,
): string {
  const answer = answerFromJson(view.answerJson);
  if (!answer)
    throw new DoctorError('EVIDENCE_MALFORMED', {
      message: 'the answer is not of the form that this version knows',
    });
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const report = reportAnswer(answer, {
    ...options,
    ...(timeZone !== 'UTC' && { timeZone }),
    ...(isColoured && {
      style: (role, text) => styleText(FORMAT[role], text, { validateStream: false }),
    }),
  }).trimEnd();
  if (!all) return report;
  const rows = answer.checks.map(({ diagnostic, target, status, isPartial, measured }) => [
    status + (isPartial ? ' in part' : ''),
    diagnostic,
    target,
    measured
      .slice(0, 6)
      .map(
        ({ name, value, limit }) =>
          `${name} ${Number(value.toFixed(3))}${limit === undefined ? '' : ` (limit ${limit})`}`,
      )
      .join(', '),
  ]);
  return `${report}\n\nALL CHECKS\n${table(rows)}`;
}
