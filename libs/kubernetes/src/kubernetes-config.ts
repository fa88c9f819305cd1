/** How a cluster is reached. */
export type KubernetesAccess =
  | {
      readonly kind: 'kubeconfig';
      /** Absent: as kubectl finds it ($KUBECONFIG, ~/.kube/config, then the account of the pod). */
      readonly path?: string;
      /** Absent: the current context of the file. */
      readonly context?: string;
    }
  /** The service account of the pod that this process runs in. */
  | { readonly kind: 'in-cluster' }
  | {
      readonly kind: 'token';
      readonly server: string;
      /** Read again after a refusal; wins over `token`. */
      readonly tokenFile?: string;
      readonly token?: string;
      /** PEM. Absent: the authorities that Node knows. */
      readonly caFile?: string;
    };

export interface KubernetesConfig {
  /** The account that looks. Needs the Role that `starr grants` prints. */
  readonly diagnosing: KubernetesAccess;
  /** The account that acts. Absent: nothing is applied. */
  readonly acting?: KubernetesAccess;
  /** What is looked at, and nothing else. At least one. */
  readonly namespaces: readonly string[];
  /** Requests under way at once; default 4. */
  readonly maxParallel?: number;
  /** Requests a second in the long run; default 20. A sweep may ask `burst` at once. */
  readonly perSecond?: number;
  /** Default 100. */
  readonly burst?: number;
}
