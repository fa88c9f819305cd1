import type { Finding, Look, Measurement } from '@starr/kernel';
import { addressEntity, clientEntity, poolerEntity } from '../entities.ts';
import type { ClientGroup } from '../reads/client-groups.ts';
import type { PooledSessions } from '../reads/pooled-sessions.ts';
import type { PoolerState } from '../reads/poolers.ts';

const SHOWN_CLIENTS = 10;

export interface ClientLimits {
  readonly warnClientRatio: number;
  readonly criticalClientRatio: number;
}

/** Clients that nobody gives back fill a pooler in transaction mode as sessions fill a server. */
export function clientFinding(
  pooler: PoolerState,
  sessions: PooledSessions | undefined,
  limits: ClientLimits,
  look: Look,
): Finding[] {
  const measured = clientMeasurement(pooler, limits, look);
  if (measured.value < limits.warnClientRatio) return [];
  const isFull = measured.value >= limits.criticalClientRatio;
  const groups = (sessions?.clients ?? [])
    .filter((each) => each.pooler === pooler.name)
    .slice(0, SHOWN_CLIENTS);
  return [
    {
      severity: isFull ? 'critical' : 'warning',
      about: poolerEntity(look.target, pooler.name),
      says: `${clientsOf(pooler)} of the ${pooler.maxClients} clients that ${pooler.name} takes are there: beyond, they are turned away (max_client_conn)${mostText(groups, look)}`,
      measured: [measured],
      rows: groups.map(({ application, address, clients, usedOnce }) => ({
        application,
        ...(address !== undefined && { address }),
        clients,
        usedOnce,
      })),
      involves: groups.flatMap(({ application, address }) => [
        clientEntity(look.target, application, address),
        ...(address === undefined ? [] : [addressEntity(address)]),
      ]),
    },
  ];
}

function mostText([most]: readonly ClientGroup[], look: Look): string {
  if (most === undefined) return '';
  const { name } = clientEntity(look.target, most.application, most.address);
  const once = most.usedOnce === 0 ? '' : `, ${most.usedOnce} used once and idle since`;
  return `; most of ${name}: ${most.clients}${once}`;
}

export function clientMeasurement(
  pooler: PoolerState,
  limits: ClientLimits,
  look: Look,
): Measurement {
  return {
    name: 'clientUseRatio',
    about: poolerEntity(look.target, pooler.name),
    value: pooler.maxClients === 0 ? 0 : clientsOf(pooler) / pooler.maxClients,
    limit: limits.warnClientRatio,
  };
}

function clientsOf({ pools }: PoolerState): number {
  return pools.reduce((sum, pool) => sum + pool.clients + pool.waiting, 0);
}
