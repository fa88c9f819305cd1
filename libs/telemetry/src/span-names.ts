/** Names of spans: few, without ids; what varies is in attributes. A finding is an event, ERROR means that a check failed to run. */
export const SPAN = {
  sweep: (environment: string) => `sweep ${environment}`,
  examine: (doctor: string) => `examine ${doctor}`,
  check: (diagnostic: string) => `check ${diagnostic}`,
  read: (read: string) => `read ${read}`,
  resolve: (doctor: string) => `resolve ${doctor}`,
  plan: (remedy: string) => `plan ${remedy}`,
  apply: (remedy: string) => `apply ${remedy}`,
  verify: (remedy: string) => `verify ${remedy}`,
  command: (name: string) => `starr ${name}`,
} as const;

/** Attributes and events of Starr's own spans. */
export const ATTRIBUTE = {
  environment: 'starr.environment',
  sweepId: 'starr.sweep.id',
  /** On a remedy's trace: the sweep it came from; Jaeger shows no link attributes. */
  sweepTraceId: 'starr.sweep.trace_id',
  incident: 'starr.incident',
  doctor: 'starr.doctor',
  target: 'starr.target',
  checkId: 'starr.check.id',
  checkStatus: 'starr.check.status',
  checkPartial: 'starr.check.partial',
  blindWhy: 'starr.blind.why',
  blindDetail: 'starr.blind.detail',
  blindCure: 'starr.blind.cure',
  findingCount: 'starr.finding.count',
  findingSeverity: 'starr.finding.severity',
  findingAbout: 'starr.finding.about',
  findingSays: 'starr.finding.says',
  readId: 'starr.read.id',
  readShared: 'starr.read.shared',
  remedy: 'starr.remedy',
  operationId: 'starr.operation.id',
  operationOutcome: 'starr.operation.outcome',
} as const;

export const EVENT = {
  finding: 'starr.finding',
  change: 'starr.change',
  blind: 'starr.blind',
} as const;
