import type { Entity, Measurement, Relation, Row, Value } from '@starr/kernel';
import type * as pb from './gen/starr/doctor/v1/values.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
  momentFromProto,
  momentToProto,
} from './moment.mapping.ts';

export function valueToProto(value: Value): pb.Value {
  if (typeof value === 'string') return { value: { $case: 'stringValue', value } };
  if (typeof value === 'number') return { value: { $case: 'doubleValue', value } };
  if (typeof value === 'bigint') return { value: { $case: 'int64Value', value } };
  if (typeof value === 'boolean') return { value: { $case: 'boolValue', value } };
  if (value instanceof Uint8Array)
    return { value: { $case: 'bytesValue', value: Buffer.from(value) } };
  return 'moment' in value
    ? { value: { $case: 'timestampValue', value: momentToProto(value.moment) } }
    : { value: { $case: 'durationValue', value: durationToProto(value.durationMs) } };
}

/** Absent: not seen, or NULL. */
export function valueFromProto(value: pb.Value): Value | undefined {
  const is = value.value;
  switch (is?.$case) {
    case undefined:
      return undefined;
    case 'timestampValue':
      return { moment: momentFromProto(is.value) };
    case 'durationValue':
      return { durationMs: durationFromProto(is.value) };
    case 'int64Value':
    case 'doubleValue':
    case 'boolValue':
    case 'stringValue':
    case 'bytesValue':
      return is.value;
  }
}

export function columnsToProto(row: Row): Record<string, pb.Value> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, valueToProto(value)]),
  );
}

export function columnsFromProto(columns: Readonly<Record<string, pb.Value>>): Row {
  const row: Record<string, Value> = {};
  for (const [column, value] of Object.entries(columns)) {
    const mapped = valueFromProto(value);
    if (mapped !== undefined) row[column] = mapped;
  }
  return row;
}

export function entityToProto(entity: Entity): pb.Entity {
  return { kind: entity.kind, name: entity.name, scope: entity.scope ?? '' };
}

export function entityFromProto(entity: pb.Entity | undefined): Entity {
  const { kind, name, scope } = entity ?? { kind: '', name: '', scope: '' };
  return scope === '' ? { kind, name } : { kind, name, scope };
}

export function relationToProto(relation: Relation): pb.Relation {
  return {
    from: entityToProto(relation.from),
    is: relation.is,
    to: entityToProto(relation.to),
    since: relation.since && dateToProto(relation.since),
    until: relation.until && dateToProto(relation.until),
  };
}

export function relationFromProto(relation: pb.Relation): Relation {
  return {
    from: entityFromProto(relation.from),
    is: relation.is,
    to: entityFromProto(relation.to),
    ...(relation.since && { since: dateFromProto(relation.since) }),
    ...(relation.until && { until: dateFromProto(relation.until) }),
  };
}

export function measurementToProto(measurement: Measurement): pb.Measurement {
  return {
    name: measurement.name,
    about: entityToProto(measurement.about),
    value: measurement.value,
    limit: measurement.limit,
  };
}

export function measurementFromProto(measurement: pb.Measurement): Measurement {
  return {
    name: measurement.name,
    about: entityFromProto(measurement.about),
    value: measurement.value,
    ...(measurement.limit !== undefined && { limit: measurement.limit }),
  };
}
