/** Sweeps, incidents, plans, the journal, leases, the audit and accepted states. */
export const first = {
  name: '0001-first',
  sql: `
CREATE TABLE starr.sweeps (
  id           text PRIMARY KEY,
  environment  text NOT NULL,
  requested_by text NOT NULL,
  asked        jsonb NOT NULL,
  started_at   timestamptz NOT NULL,
  ended_at     timestamptz,
  state        text NOT NULL CHECK (state IN ('running', 'answered', 'failed', 'cancelled')),
  trace_id     text,
  evidence     jsonb,
  answer       jsonb
);
CREATE INDEX sweeps_by_time ON starr.sweeps (environment, started_at DESC);

CREATE TABLE starr.incidents (
  number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id          text GENERATED ALWAYS AS ('INC-' || number) STORED UNIQUE,
  environment text NOT NULL,
  opened_by   jsonb NOT NULL,
  fingerprint text NOT NULL,
  title       text NOT NULL,
  status      text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resolved')),
  opened_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  resolved_at timestamptz,
  record      jsonb
);
-- The same trouble seen again belongs to the incident that is open for it.
CREATE UNIQUE INDEX one_open_incident_a_fingerprint
  ON starr.incidents (environment, fingerprint) WHERE status = 'open';

CREATE TABLE starr.incident_sweeps (
  incident text NOT NULL REFERENCES starr.incidents (id),
  sweep    text NOT NULL REFERENCES starr.sweeps (id),
  added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (incident, sweep)
);

CREATE TABLE starr.plans (
  id                  text PRIMARY KEY,
  incident            text NOT NULL REFERENCES starr.incidents (id),
  number              integer NOT NULL,
  sweep               text,
  role                text NOT NULL CHECK (role IN ('relieve', 'cure', 'undo', 'asked')),
  says                text NOT NULL,
  cause               text,
  remedy              text NOT NULL,
  target              text NOT NULL,
  params              jsonb NOT NULL,
  undo_of             text REFERENCES starr.plans (id),
  state               text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'planned', 'approved',
    'applying', 'verifying', 'established', 'missed', 'refused', 'failed', 'indeterminate', 'superseded')),
  doctor              text,
  hash                text,
  sealed              jsonb,
  sealed_at           timestamptz,
  approved_by         text,
  approved_at         timestamptz,
  approval_reason     text,
  approval_expires_at timestamptz,
  applied_by          text,
  applied_at          timestamptz,
  ended_at            timestamptz,
  result              jsonb,
  created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (incident, number),
  CHECK (state = 'proposed' OR (hash IS NOT NULL AND sealed IS NOT NULL AND doctor IS NOT NULL))
);
-- Two plans never act on one target at once, whoever runs them.
CREATE UNIQUE INDEX one_active_plan_a_target ON starr.plans (target) WHERE state = 'applying';
CREATE INDEX plans_unfinished ON starr.plans (state) WHERE state IN ('applying', 'verifying');

CREATE TABLE starr.leases (
  name     text PRIMARY KEY,
  owner    text NOT NULL,
  fence    bigint NOT NULL,
  held_until timestamptz NOT NULL
);

CREATE TABLE starr.intents (
  operation text PRIMARY KEY,
  plan      text NOT NULL REFERENCES starr.plans (id),
  position  integer NOT NULL,
  fence     bigint NOT NULL,
  actor     text NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (plan, position)
);

CREATE TABLE starr.outcomes (
  operation text NOT NULL REFERENCES starr.intents (operation),
  number    integer NOT NULL,
  outcome   text NOT NULL CHECK (outcome IN
    ('applied', 'refused', 'failed', 'partial', 'indeterminate', 'not-applied')),
  known_by  text NOT NULL CHECK (known_by IN ('answer', 'probe')),
  receipt   text,
  says      text NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (operation, number)
);
-- One final outcome an operation; only indeterminate may be followed by another.
CREATE UNIQUE INDEX one_final_outcome ON starr.outcomes (operation) WHERE outcome <> 'indeterminate';

CREATE TABLE starr.audit (
  number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor   text NOT NULL,
  action  text NOT NULL,
  subject text NOT NULL,
  reason  text,
  details jsonb NOT NULL
);
CREATE INDEX audit_by_subject ON starr.audit (subject, number);

CREATE TABLE starr.accepted (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  diagnostic text NOT NULL,
  target     text NOT NULL,
  until      timestamptz NOT NULL,
  reason     text NOT NULL,
  accepted_by text NOT NULL,
  accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz
);

-- What was said stays said: also for the owner of the tables.
CREATE FUNCTION starr.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$body$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON starr.audit
  FOR EACH STATEMENT EXECUTE FUNCTION starr.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON starr.intents
  FOR EACH STATEMENT EXECUTE FUNCTION starr.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON starr.outcomes
  FOR EACH STATEMENT EXECUTE FUNCTION starr.refuse_change();
`,
} as const;
