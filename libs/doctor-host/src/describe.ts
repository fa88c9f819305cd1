import { z } from 'zod';
import type {
  AnyDiagnostic,
  AnyRemedy,
  DiagnosticDescription,
  DoctorDescription,
  RemedyDescription,
  Threshold,
} from '@starr/kernel';
import type { HostedTarget } from './hosted-target.ts';

export function describe(
  name: string,
  diagnostics: readonly AnyDiagnostic[],
  remedies: readonly AnyRemedy[],
  targets: readonly HostedTarget[],
): DoctorDescription {
  return {
    name,
    targets: targets.map((target) => ({ name: target.name, kind: target.kind, acts: target.acts })),
    diagnostics: diagnostics.map(describeDiagnostic),
    remedies: remedies.map(describeRemedy),
  };
}

export function describeDiagnostic(diagnostic: AnyDiagnostic): DiagnosticDescription {
  const { id, title, explains, replaces, measures } = diagnostic;
  const thresholds = diagnostic.thresholds as Readonly<Record<string, Threshold>>;
  const reads = [...new Set(Object.values(diagnostic.reads).map((read) => read.id))];
  return { id, title, explains, replaces, measures, thresholds, reads };
}

export function describeRemedy(remedy: AnyRemedy): RemedyDescription {
  const { id, title, explains } = remedy;
  const schema = z.toJSONSchema(remedy.params, { io: 'input', unrepresentable: 'any' });
  return {
    id,
    title,
    explains,
    paramsSchema: JSON.stringify(schema),
    reversible: remedy.undo !== undefined,
  };
}
