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

/** Three digits at most, unless it is a whole number; no zeros at the end. */
function numberText(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 1 ? 1 : 3)));
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

/** usedSlots → used slots; useRatio → use ratio; longestMs → longest: the unit stands beside the number. */
export function measurementWords(name: string): string {
  return name
    .replace(/(?:Ms|Bytes)$/, '')
    .replace(/([a-z])([A-Z])/g, (_all, a: string, b: string) => `${a} ${b.toLowerCase()}`);
}
