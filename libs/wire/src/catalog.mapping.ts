import type { DiagnosticDescription, RemedyDescription, TargetDescription } from '@starr/kernel';
import type * as pb from './gen/starr/doctor/v1/doctor.ts';

export function diagnosticToProto(diagnostic: DiagnosticDescription): pb.DiagnosticDescription {
  return {
    id: diagnostic.id,
    title: diagnostic.title,
    explains: diagnostic.explains,
    replaces: [...diagnostic.replaces],
    thresholds: { ...diagnostic.thresholds },
    measures: { ...diagnostic.measures },
    reads: [...diagnostic.reads],
  };
}

export function diagnosticFromProto(diagnostic: pb.DiagnosticDescription): DiagnosticDescription {
  return diagnostic;
}

export function remedyToProto(remedy: RemedyDescription): pb.RemedyDescription {
  return { ...remedy };
}

export function remedyFromProto(remedy: pb.RemedyDescription): RemedyDescription {
  return remedy;
}

export function targetToProto(target: TargetDescription): pb.TargetDescription {
  return { ...target };
}

export function targetFromProto(target: pb.TargetDescription): TargetDescription {
  return target;
}
