import { DoctorError, type Json } from '@starr/kernel';
import type { Store, StoredIncident } from '@starr/store';
import type { IncidentDetail, IncidentView } from '@starr/wire';
import { planViews } from '../plans/plan-view.ts';
import { answerView } from '../sweep/answer-view.ts';
import { incidentRecord } from './incident-record.ts';
import { invalidField } from '../sweep/sweep-request.ts';

const MOST_PLANS = 200;
const PAGE = { standard: 20, most: 200 };

function incidentView(incident: StoredIncident): IncidentView {
  const { record: _record, fingerprint: _fingerprint, openedBy, ...view } = incident;
  return { ...view, openedBy: `${openedBy.kind}:${openedBy.name}` };
}

/** INCIDENT_UNKNOWN: no such incident. */
export async function readIncident(store: Store, id: string): Promise<IncidentDetail> {
  const incident = await needIncident(store, id);
  const newest = incident.sweeps.at(-1);
  const [sweep, plans, written] = await Promise.all([
    newest === undefined ? undefined : store.sweeps.get(newest),
    store.plans.list(id, MOST_PLANS),
    incidentRecord(store, incident),
  ]);
  return {
    incident: incidentView(incident),
    plans: await planViews(store, plans),
    recordJson: written === undefined ? '' : JSON.stringify(written.record),
    recordMarkdown: written?.markdown ?? '',
    ...(sweep?.answer && { answer: answerView(sweep.answer, id) }),
  };
}

export async function needIncident(store: Store, id: string): Promise<StoredIncident> {
  const incident = await store.incidents.get(id);
  if (incident !== undefined) return incident;
  throw new DoctorError('INCIDENT_UNKNOWN', {
    message: `no incident ${JSON.stringify(id.slice(0, 64))} is known`,
    details: { field: 'incident' },
  });
}

/** Closes it and keeps its record as it is then. Audited. */
export async function resolveIncident(
  store: Store,
  id: string,
  reason: string,
  actor: string,
): Promise<IncidentView> {
  await needIncident(store, id);
  await store.incidents.resolve(id);
  await store.audit.append({ actor, action: 'incident.resolve', subject: id, reason });
  const resolved = await needIncident(store, id);
  const written = await incidentRecord(store, resolved);
  if (written)
    await store.incidents.setRecord(id, JSON.parse(JSON.stringify(written.record)) as Json);
  return incidentView(resolved);
}

/** Newest first; the page token is the last incident of the page before. */
export async function listIncidents(
  store: Store,
  pageSize: number,
  pageToken: string,
): Promise<{ incidents: readonly IncidentView[]; nextPageToken: string }> {
  const count = checkPageSize(pageSize);
  // An unknown one would begin at the first page again, and whoever follows it would never end.
  if (!/^(INC-\d{1,18})?$/.test(pageToken))
    throw invalidField('page_token', pageToken, 'the next_page_token of the page before');
  const incidents = await store.incidents.list(count, pageToken === '' ? undefined : pageToken);
  const last = incidents.length === count ? incidents.at(-1) : undefined;
  return { incidents: incidents.map(incidentView), nextPageToken: last?.id ?? '' };
}

/** 0: the standard size. */
export function checkPageSize(pageSize: number): number {
  if (pageSize === 0) return PAGE.standard;
  if (pageSize >= 1 && pageSize <= PAGE.most) return pageSize;
  throw invalidField('page_size', pageSize, `1 to ${PAGE.most}, or 0`);
}
