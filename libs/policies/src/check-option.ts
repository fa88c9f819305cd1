import { PolicyError } from './policy-error.ts';

function refuse(policy: string, option: string, value: number, allowed: string): never {
  throw new PolicyError(
    'invalid-option',
    policy,
    `${policy}: ${option} is ${value}; allowed: ${allowed}`,
  );
}

export function checkCount(
  policy: string,
  option: string,
  value: number,
  max = Number.MAX_SAFE_INTEGER,
  min = 1,
): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    refuse(policy, option, value, `an integer from ${min} to ${max}`);
  }
}

export function checkPositive(policy: string, option: string, value: number, min = 0): void {
  if (!Number.isFinite(value) || value <= 0 || value < min) {
    refuse(policy, option, value, min > 0 ? `a number from ${min}` : 'a number above 0');
  }
}

export function checkRatio(policy: string, option: string, value: number): void {
  if (!(value > 0 && value <= 1)) refuse(policy, option, value, 'above 0 and up to 1');
}
