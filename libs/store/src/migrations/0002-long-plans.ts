import type { Migration } from '../migrations.ts';

/** What is urgent does not wait for an index build of hours: a long plan and a short one may act on one target together. */
export const longPlans: Migration = {
  name: '0002-long-plans',
  sql: `
ALTER TABLE starr.plans ADD COLUMN is_long boolean NOT NULL DEFAULT false;
DROP INDEX starr.one_active_plan_a_target;
-- Two plans of a kind never act on one target at once, whoever runs them.
CREATE UNIQUE INDEX one_active_plan_a_target ON starr.plans (target, is_long) WHERE state = 'applying';
`,
};
