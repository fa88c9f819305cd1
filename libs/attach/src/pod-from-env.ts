import type { ProcessIdentity } from '@starr/wire';

/**
 * The pod of this process from its environment, as a Deployment gives it by the downward API: POD_NAME,
 * POD_NAMESPACE, POD_IP (or STARR_POD_IP). Absent when it names no pod.
 */
export function podFromEnv(
  env: Readonly<Record<string, string | undefined>>,
): ProcessIdentity['pod'] {
  const { POD_NAME: name, POD_NAMESPACE: namespace } = env;
  const ip = env['POD_IP'] ?? env['STARR_POD_IP'];
  if (name === undefined && ip === undefined) return undefined;
  return {
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(ip !== undefined && { ip }),
  };
}
