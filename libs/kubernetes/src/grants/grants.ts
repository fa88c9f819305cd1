import { defineGrantsAdvisor, type GrantsAdvice } from '@starr/kernel';
import { accessRead } from '../reads/access.ts';
import type { AccountAccess } from '../request.ts';
import { grantCommand } from './grant-command.ts';
import { ACTING_NEEDS, DIAGNOSING_NEEDS, type Need } from './needs.ts';
import { applyRole } from './role-yaml.ts';

const DIAGNOSING_ROLE = 'starr-diagnose';
const ACTING_ROLE = 'starr-act';
/** To be put in its place: no acting account is configured. */
const SUGGESTED_ACTING_USER = 'system:serviceaccount:starr:k8s-doctor-act';

/** The Roles that the checks and remedies need, one a namespace, and what of them is not there yet. */
export const kubernetesGrants = defineGrantsAdvisor({
  reads: { access: accessRead },
  advise: ({ access }): GrantsAdvice => {
    const { diagnosing, acting } = access;
    const actingUser = acting?.user ?? SUGGESTED_ACTING_USER;
    return {
      language: 'kubectl',
      diagnosing: access.namespaces.map((namespace) =>
        applyRole(DIAGNOSING_ROLE, namespace, diagnosing.user, DIAGNOSING_NEEDS),
      ),
      acting: access.namespaces.map((namespace) =>
        applyRole(ACTING_ROLE, namespace, actingUser, ACTING_NEEDS),
      ),
      lacking: [
        ...lackingOf(diagnosing, DIAGNOSING_ROLE, DIAGNOSING_NEEDS, access.namespaces),
        // nothing is lacking where nothing was asked for
        ...(acting ? lackingOf(acting, ACTING_ROLE, ACTING_NEEDS, access.namespaces) : []),
      ],
    };
  },
});

/** All of it: the whole Role. Some of it: one small Role each, so that nothing that is there is replaced. */
function lackingOf(
  { user, denied }: AccountAccess,
  role: string,
  needs: readonly Need[],
  namespaces: readonly string[],
): readonly string[] {
  return namespaces.flatMap((namespace) => {
    const missing = denied.filter((one) => one.namespace === namespace);
    return missing.length === needs.length
      ? [applyRole(role, namespace, user, needs)]
      : missing.map((permission) => grantCommand(permission, user));
  });
}
