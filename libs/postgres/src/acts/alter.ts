/** Whose setting or limit is altered. One of both, or, for a setting, both: the role in that database. */
export interface AlterOf {
  readonly role?: string;
  readonly database?: string;
}

/** Alters a setting of a role or database, only if it still has the value that the plan saw. Sessions that are open keep theirs. */
export interface AlterSettingAct extends AlterOf {
  readonly kind: 'alter-setting';
  readonly setting: string;
  /** As pg_db_role_setting keeps it; absent: not set there. */
  readonly from?: string;
  /** Absent: taken away. */
  readonly to?: string;
}

/** Alters the CONNECTION LIMIT of a role or a database, only if it still is what the plan saw. */
export interface AlterConnectionLimitAct extends AlterOf {
  readonly kind: 'alter-connection-limit';
  readonly from: number;
  readonly to: number;
}
