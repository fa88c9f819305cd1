import { DoctorError } from '@starr/kernel';
import type { Duration } from './gen/google/protobuf/duration.ts';
import type { Timestamp } from './gen/google/protobuf/timestamp.ts';

const RFC_3339 =
  /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}(?::?\d{2})?)$/;

/** RFC 3339 text (also PostgreSQL's `2026-01-01 10:00:00.123456+00`) with all of its digits. */
export function momentToProto(text: string): Timestamp {
  const match = RFC_3339.exec(text);
  if (!match) throw notAMoment(text);
  const [, head = '', fraction = '', zone = 'Z'] = match;
  const offset =
    zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`;
  const ms = Date.parse(`${head.replace(' ', 'T')}${offset}`);
  if (Number.isNaN(ms)) throw notAMoment(text);
  return { seconds: BigInt(ms) / 1000n, nanos: Number(fraction.padEnd(9, '0')) };
}

function notAMoment(text: string): DoctorError {
  return new DoctorError('WIRE_INVALID', {
    message: `moment ${JSON.stringify(text.slice(0, 64))} is not RFC 3339`,
  });
}

export function momentFromProto(timestamp: Timestamp): string {
  const head = new Date(Number(timestamp.seconds) * 1000).toISOString().slice(0, 19);
  return `${head}.${String(timestamp.nanos).padStart(9, '0')}Z`;
}

export function dateToProto(date: Date): Timestamp {
  const ms = date.getTime();
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}

export function dateFromProto(timestamp: Timestamp): Date {
  return new Date(Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1_000_000));
}

export function durationToProto(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1_000_000) };
}

export function durationFromProto(duration: Duration): number {
  return Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}
