import { parseAlert } from '../alerts/alertmanager-alert.ts';
import type { AlertDesk } from '../alerts/alert-desk.ts';
import type { Orchestrator } from '../orchestrator.ts';
import type { HttpReply, HttpRoute } from './http-server.ts';
import type { Metrics } from './metrics.ts';

/** Alerts in, records and state out. */
export function httpRoutes(
  orchestrator: Orchestrator,
  desk: AlertDesk,
  metrics: Metrics,
): readonly HttpRoute[] {
  return [
    {
      method: 'GET',
      path: /^\/healthz$/,
      isOpen: true,
      handle: () => Promise.resolve({ status: 200, body: 'ok\n' }),
    },
    {
      method: 'GET',
      path: /^\/metrics$/,
      isOpen: true,
      handle: () => Promise.resolve({ status: 200, body: metrics.text() }),
    },
    {
      method: 'POST',
      path: /^\/alerts$/,
      isOpen: false,
      handle: (_groups, body) => Promise.resolve(receiveAlert(desk, body)),
    },
    {
      method: 'GET',
      path: /^\/incidents\/(INC-\d{1,18})\.(md|json)$/,
      isOpen: false,
      handle: ([id = '', format = ''], _body) => incidentReport(orchestrator, id, format),
    },
  ];
}

/** Alertmanager does not wait for a sweep; what comes of it goes out by itself. */
function receiveAlert(desk: AlertDesk, body: string): HttpReply {
  const parsed = parseAlert(body);
  if (!parsed.ok) return { status: 400, body: `${parsed.says}\n` };
  return { status: 202, body: `${desk.receive(parsed.group)}\n` };
}

async function incidentReport(
  orchestrator: Orchestrator,
  id: string,
  format: string,
): Promise<HttpReply> {
  const { recordJson, recordMarkdown } = await orchestrator.getIncident(id);
  if (recordJson === '') return { status: 404, body: `${id} has no record yet\n` };
  return format === 'json'
    ? { status: 200, type: 'application/json', body: recordJson }
    : { status: 200, type: 'text/markdown', body: recordMarkdown };
}
