import { DoctorError } from '@starr/kernel';
import type { Provider } from '../request.ts';
import type { RedisConfig, RedisCredential, RedisSecret, RedisTls } from './redis-config.ts';

/** Where and as whom to connect. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Absent: no TLS. */
  readonly tls?: RedisTls;
  /** In words for errors: host:port. */
  readonly text: string;
  readonly diagnosing: RedisCredential;
  readonly acting?: RedisCredential;
}

/** Fails with CONFIG_INVALID when the url is none. */
export function redisAddress(config: RedisConfig): RedisAddress {
  const url = URL.parse(config.url);
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || !url.hostname)
    throw new DoctorError('CONFIG_INVALID', {
      message: 'url: expected redis://host:port or rediss://host:port',
      details: { field: 'url', allowed: 'redis://host:port, rediss://host:port' },
    });
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? 6379 : Number(url.port);
  const tls = config.tls ?? (url.protocol === 'rediss:' ? {} : undefined);
  return {
    host,
    port,
    text: `${url.hostname}:${port}`,
    diagnosing: diagnosingOf(url, config.password),
    ...(tls === undefined ? {} : { tls }),
    ...(config.acting === undefined ? {} : { acting: config.acting }),
  };
}

function diagnosingOf(url: URL, given: RedisSecret | undefined): RedisCredential {
  const inUrl = url.password === '' ? undefined : decodeURIComponent(url.password);
  const password = given ?? inUrl;
  return {
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    ...(password === undefined ? {} : { password }),
  };
}

export function userOf(credential: RedisCredential | undefined): string {
  return credential?.user ?? 'default';
}

/** `redis-cli` with the options that reach the server as that user. It asks for the password: none is printed. */
export function redisCliText(
  address: RedisAddress,
  credential: RedisCredential | undefined,
): string {
  const login =
    credential?.user === undefined
      ? credential?.password === undefined
        ? []
        : ['--askpass']
      : ['--user', credential.user, '--askpass'];
  const tls = address.tls === undefined ? [] : ['--tls'];
  return ['redis-cli', '-h', address.host, '-p', String(address.port), ...tls, ...login].join(' ');
}

const PROVIDERS: readonly (readonly [RegExp, Provider])[] = [
  [/\.cache\.amazonaws\.com(\.cn)?$/, 'elasticache'],
  [/\.redis\.cache\.windows\.net$|\.redis\.azure\.net$/, 'azure'],
  [/\.aivencloud\.com$/, 'aiven'],
  [/\.redis-cloud\.com$|\.redislabs\.com$|\.redns\.redis-cloud\.com$/, 'redis-cloud'],
];

/** By the host's name; Memorystore has addresses only and cannot be told. */
export function providerOf(host: string): Provider | undefined {
  return PROVIDERS.find(([pattern]) => pattern.test(host))?.[1];
}
