import { durationText } from '@starr/kernel';

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A number with its unit, as people read it. Units: those of MeasurementSpec; an unknown one is printed as it is. */
export function measurementText(value: number, unit: string | undefined): string {
  switch (unit) {
    case 'ms':
      return durationText(value);
    case 'ratio':
      return `${numberText(value * 100)} %`;
    case 'bytes':
      return bytesText(value);
    case 'per-minute':
      return `${numberText(value)}/min`;
    case 'per-second':
      return `${numberText(value)}/s`;
    case 'count':
    case undefined:
      return numberText(value);
    default:
      return `${numberText(value)} ${unit}`;
  }
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 10 || Number.isInteger(value) ? 0 : 1;
  return value.toFixed(digits);
}

function bytesText(value: number): string {
  let rest = Math.abs(value);
  let unit = 0;
  while (rest >= 1024 && unit < BINARY.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${value < 0 ? '-' : ''}${numberText(rest)} ${BINARY[unit] ?? 'B'}`;
}
