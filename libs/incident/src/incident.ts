import type { Answer } from './answer.ts';

/** Who or what opened an incident. */
export interface IncidentOpener {
  readonly kind: 'sweep' | 'alert' | 'person';
  /** The actor of the sweep, the alert's name, or the person. */
  readonly name: string;
  /** RFC 3339; when the alert began to fire. Absent: not an alert. */
  readonly firedAt?: string;
}

/** What a sweep, an alert or a person opened. */
export interface Incident {
  /** INC-7. */
  readonly id: string;
  readonly environment: string;
  readonly openedBy: IncidentOpener;
  readonly title: string;
  readonly status: 'open' | 'resolved';
  readonly openedAt: Date;
  /** Absent: it is open. */
  readonly resolvedAt?: Date;
}

/** Whether a sweep's answer is a reason to open an incident. Blindness alone is none: it is said, and nobody is woken. */
export function opensIncident(answer: Answer): boolean {
  return answer.findings.length > 0;
}

/**
 * What the trouble rests on: the finding that the likeliest cause is primarily about, else the worst finding. The same
 * trouble has the same fingerprint in the next sweep, also when that one sees more and names a more specific cause.
 */
export function fingerprintOf(answer: Answer): string {
  const [cause] = answer.causes;
  const worst = answer.findings.find(({ severity }) => severity === 'critical');
  return cause?.primary ?? worst?.id ?? answer.findings[0]?.id ?? 'nothing found';
}
