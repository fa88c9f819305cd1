/* For apps. */
export { loadStarrYaml, type LoadedConfig } from './load-starr-yaml.ts';
export { resolveSecret, secretSchema, type SecretReference } from './secret.ts';
export {
  starrYamlSchema,
  type JaegerTargetConfig,
  type KubernetesTargetConfig,
  type NotifyConfig,
  type PostgresTargetConfig,
  type ProcessesTargetConfig,
  type RedisTargetConfig,
  type StarrYaml,
} from './starr-yaml.ts';

export { readServiceEnvironment, type ServiceEnvironment } from './service-environment.ts';

/* For other libraries and tests. */
export { parseYaml } from './parse-yaml.ts';
