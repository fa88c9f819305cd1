import type { Provider } from '../request.ts';

/** How each provider sets maxmemory-policy where CONFIG is taken away. Sources: the providers' references of these commands. */
export function providersWay(provider: Provider | undefined, policy: string): string {
  switch (provider) {
    case 'elasticache':
      return (
        'ElastiCache: aws elasticache modify-cache-parameter-group --cache-parameter-group-name GROUP ' +
        `--parameter-name-values ParameterName=maxmemory-policy,ParameterValue=${policy}`
      );
    case 'azure':
      return `Azure: az redis update --name NAME --resource-group GROUP --set redisConfiguration.maxmemory-policy=${policy}`;
    case 'aiven':
      return `Aiven: avn service update SERVICE -c valkey_maxmemory_policy=${policy} (redis_maxmemory_policy for Redis)`;
    case 'redis-cloud':
      return `Redis Cloud: the database's data eviction policy, set to ${policy} in its console or API`;
    case undefined:
      return (
        'Set it where the server is managed: the parameter group on ElastiCache, ' +
        `gcloud redis instances update INSTANCE --update-redis-config maxmemory-policy=${policy} on Memorystore, ` +
        "the console elsewhere; or under CONFIG's new name if you renamed it"
      );
  }
}
