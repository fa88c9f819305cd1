/** One call as RBAC sees it. */
export interface Permission {
  readonly verb: 'get' | 'list' | 'patch';
  readonly group: string;
  /** With its subresource: `pods/log`. */
  readonly resource: string;
  readonly namespace: string;
}
