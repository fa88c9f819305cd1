import { z } from 'zod';
import { DoctorError } from '@starr/kernel';

/** The few things that a service learns from its environment; everything else stands in starr.yaml. */
const environmentSchema = z.object({
  /** Path of starr.yaml. */
  STARR_CONFIG: z.string().min(1).default('starr.yaml'),
  /** 1: end when stdin ends; `starr up` sets it. */
  STARR_ENDS_WITH_STDIN: z.enum(['0', '1']).default('0'),
});

export interface ServiceEnvironment {
  readonly configPath: string;
  readonly endsWithStdin: boolean;
}

export function readServiceEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): ServiceEnvironment {
  const parsed = environmentSchema.safeParse(env);
  if (parsed.success)
    return {
      configPath: parsed.data.STARR_CONFIG,
      endsWithStdin: parsed.data.STARR_ENDS_WITH_STDIN === '1',
    };
  const [issue] = parsed.error.issues;
  const field = String(issue?.path[0] ?? 'environment');
  throw new DoctorError('CONFIG_INVALID', {
    message: `${field} is ${JSON.stringify(env[field])}; ${issue?.message ?? 'not valid'}`,
    details: { field },
  });
}
