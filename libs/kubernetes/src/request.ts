import type { BlindSpot } from '@starr/kernel';
import type { Need } from './grants/needs.ts';
import type { Permission } from './grants/permission.ts';
import type { Autoscaler, Deployment, KubeEvent, Pod, ReplicaSet } from './objects.ts';

/** What the adapter can look at, as data. Every look covers all configured namespaces. */
export type KubernetesRequest =
  /** Pods, ReplicaSets and Deployments: one list each a namespace. */
  | { readonly kind: 'workloads' }
  /** Events of type Warning. */
  | { readonly kind: 'warnings' }
  | { readonly kind: 'autoscalers' }
  /** Which of these the two accounts lack; asked about, not tried. */
  | {
      readonly kind: 'access';
      readonly diagnosing: readonly Need[];
      readonly acting: readonly Need[];
    }
  /** The logs of the pods, current and previous; one composite look (pods → logs). */
  | {
      readonly kind: 'logs';
      /** How far back lines are asked for. */
      readonly sinceMs: number;
      /** Newest lines of each container. */
      readonly tailLines: number;
      /** Of all containers together. */
      readonly maxBytes: number;
      readonly maxContainers: number;
    };

/** What an account may not do of what was asked. */
export interface AccountAccess {
  /** As the API server names it. */
  readonly user: string;
  readonly denied: readonly Permission[];
}

export interface AccessAnswer {
  readonly namespaces: readonly string[];
  readonly diagnosing: AccountAccess;
  /** Absent: no acting account is configured. */
  readonly acting?: AccountAccess;
}

/** What was seen of something in all namespaces, and where it could not be. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly blind: readonly BlindSpot[];
}

/** A part that could not be seen in any namespace is a blind spot as a whole. */
export interface WorkloadsAnswer {
  readonly pods: Listed<Pod> | BlindSpot;
  readonly replicaSets: Listed<ReplicaSet> | BlindSpot;
  readonly deployments: Listed<Deployment> | BlindSpot;
  /** uid of a ReplicaSet → what the doctor itself saw of it, in this and earlier looks. */
  readonly seenHealthy: Readonly<Record<string, SeenHealthy>>;
  /** uid of a Deployment or ReplicaSet → SHA-256 of its pod template without the hash label. */
  readonly templateHashes: Readonly<Record<string, string>>;
}

/** All wanted replicas were available at both moments and at every look in between. */
export interface SeenHealthy {
  readonly from: string;
  readonly to: string;
  readonly looks: number;
}

export type WarningsAnswer = Listed<KubeEvent>;
export type AutoscalersAnswer = Listed<Autoscaler>;

/** The masked log of one container, as far as it was read. */
export interface ContainerLog {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Name of the ReplicaSet that owns the pod; absent: it has none. */
  readonly replicaSet?: string;
  /** The container before its last restart. */
  readonly previous: boolean;
  /** How many restarts came before this one: tells the containers of one name apart. */
  readonly restart: number;
  /** Read in an earlier look; errors only. The pod may be gone by now. */
  readonly remembered: boolean;
  /** The log (remembered: its errors) is complete between these two moments, RFC 3339. */
  readonly coveredFrom: string;
  readonly coveredTo: string;
  /** `coveredFrom` is the start of the container; otherwise it is where the read began. */
  readonly fromStart: boolean;
  /** Each with the kubelet's time stamp in front. */
  readonly lines: readonly string[];
}

export interface LogsAnswer {
  readonly logs: readonly ContainerLog[];
  readonly blind: readonly BlindSpot[];
}

/** What the adapter can do. Guards are inside: nothing else than this state is acted upon. */
export interface RollbackAct {
  readonly kind: 'rollback';
  readonly namespace: string;
  readonly deployment: string;
  readonly deploymentUid: string;
  /** What is left; refused when the Deployment runs another template than this one's. */
  readonly from: RevisionRef;
  /** What is returned to; refused when its ReplicaSet is another or keeps another template. */
  readonly to: RevisionRef;
  /** Until all replicas must be available. */
  readonly waitMs: number;
}

/** A revision by the ReplicaSet that keeps it. The template itself travels nowhere: it may hold secrets. */
export interface RevisionRef {
  readonly revision: number;
  readonly replicaSet: string;
  readonly replicaSetUid: string;
  readonly templateHash: string;
}

export type KubernetesAct = RollbackAct;
