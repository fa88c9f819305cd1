import { answerToJson, type Answer, type CauseAnswer } from '@starr/incident';
import type { AnswerView, CauseView } from '@starr/wire';
import { stepsOf } from './record-sweep.ts';

/** `incident`: absent when nothing was found or nothing could be recorded; steps then have no plan. */
export function answerView(answer: Answer, incident?: string): AnswerView {
  return {
    ...(incident !== undefined && { incident }),
    headline: answer.headline,
    ...(answer.severity !== 'none' && { severity: answer.severity }),
    causes: [...answer.causes, ...answer.possible].map(causeView),
    proposals: stepsOf(answer).map((step) => ({
      ...(incident !== undefined && { plan: `${incident}.${step.number}` }),
      role: step.role,
      says: step.title,
      remedy: step.remedy,
      target: step.target,
      params: step.params,
    })),
    unexplainedFindings: answer.unexplained.length,
    checks: answer.checks.length,
    blindChecks: answer.blind.filter(({ isPartial }) => !isPartial).length,
    answerJson: answerToJson(answer),
  };
}

function causeView(cause: CauseAnswer): CauseView {
  return {
    playbook: cause.playbook,
    title: cause.title,
    severity: cause.severity,
    explains: cause.explains.length,
    against: cause.against.length,
    isGrounded: cause.standing === 'grounded',
    path: cause.path.join(' '),
  };
}
