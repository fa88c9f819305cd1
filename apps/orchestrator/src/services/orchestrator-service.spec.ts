import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { credentials } from '@grpc/grpc-js';
import { serveGrpc, type Credential, type Serving } from '@starr/doctor-host';
import { systemClock } from '@starr/kernel';
import { createLog } from '@starr/telemetry';
import {
  bearerTokenInterceptor,
  createOrchestratorClient,
  OrchestratorServiceService,
  type OrchestratorClient,
} from '@starr/wire';
import { DoctorRoster } from '../doctors/doctor-roster.ts';
import { Orchestrator } from '../orchestrator.ts';
import { RecentPlans } from '../plans/recent-plans.ts';
import { codeOf, collect } from '../test/collect.ts';
import { orchestratorService } from './orchestrator-service.ts';

jest.setTimeout(30_000);

const TOKENS: readonly Credential[] = [
  { token: 'v', role: 'viewer' },
  { token: 'o', role: 'operator' },
];
const never = () => new AbortController().signal;
const log = createLog('spec', 'error');
let serving: Serving;
const clients: OrchestratorClient[] = [];

beforeEach(async () => {
  serving = await serveGrpc({
    host: '127.0.0.1',
    port: 0,
    credentials: TOKENS,
    services: [orchestratorService(emptyOrchestrator(), TOKENS, log)],
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await serving.stop(0);
});

/** Without doctors and without a store: enough to see who is let in. */
function emptyOrchestrator(): Orchestrator {
  const memory = { load: () => Promise.resolve(undefined), save: () => Promise.resolve() };
  const roster = new DoctorRoster([], { clock: systemClock, log, memory });
  const shared = { environment: 'empty', roster, store: undefined, clock: systemClock, log };
  return new Orchestrator({
    ...shared,
    loadPlaybooks: () => Promise.resolve({ playbooks: [], problems: [] }),
    traces: undefined,
    plans: {
      ...shared,
      recent: new RecentPlans(),
      grantPrivateKeyPem: '',
      instance: 'spec',
      stopping: never(),
    },
  });
}

function clientWith(token: string): OrchestratorClient {
  const client = createOrchestratorClient({
    address: `127.0.0.1:${serving.port}`,
    credentials: credentials.createInsecure(),
    interceptors: [bearerTokenInterceptor(token)],
  });
  clients.push(client);
  return client;
}

const HASH = `sha256:${'a'.repeat(64)}`;
const ACTS: readonly [string, (client: OrchestratorClient) => Promise<unknown>][] = [
  ['PlanRemedy', (c) => collect(c.planRemedy({ remedy: 'x.y', target: 't' }, never()))],
  ['UndoPlan', (c) => collect(c.undoPlan('INC-1.1', never()))],
  ['ApprovePlan', (c) => c.approvePlan({ plan: 'INC-1.1', hash: HASH, reason: 'r' })],
  ['ApplyPlan', (c) => collect(c.applyPlan('INC-1.1', HASH, never()))],
  ['ResolveIncident', (c) => c.resolveIncident('INC-1', 'r')],
  [
    'AcceptState',
    (c) => c.acceptState({ diagnostic: 'd', target: 't', until: new Date(), reason: 'r' }),
  ],
  ['RevokeState', (c) => c.revokeState('d', 't')],
];
const LOOKS: readonly [string, (client: OrchestratorClient) => Promise<unknown>][] = [
  ['Sweep', (c) => collect(c.sweep({}, never()))],
  ['GetIncident', (c) => c.getIncident('INC-1')],
  ['ListIncidents', (c) => c.listIncidents(1)],
  ['GetPlan', (c) => c.getPlan('INC-1.1')],
  ['ListPlans', (c) => c.listPlans()],
  ['CheckHealth', (c) => c.checkHealth()],
  ['DescribeCatalog', (c) => c.describeCatalog()],
  ['CheckPlaybooks', (c) => c.checkPlaybooks()],
  ['GetTrace', (c) => c.getTrace('a'.repeat(32))],
];
const DENIALS = ['WIRE_FORBIDDEN', 'WIRE_UNAUTHENTICATED'];

describe('the orchestrator service', () => {
  it('has a role for each of its calls, and a line here', () => {
    const { roles } = orchestratorService(emptyOrchestrator(), TOKENS, log);
    const paths = Object.values(OrchestratorServiceService).map(({ path }) => path);
    expect(Object.keys(roles).sort()).toEqual([...paths].sort());
    const named = [...ACTS, ...LOOKS].map(([rpc]) => rpc);
    expect(paths.map((path) => path.split('/')[2]).sort()).toEqual(named.sort());
  });

  it.each(ACTS)('lets an operator call %s, and no viewer', async (_rpc, call) => {
    expect(await codeOf(call(clientWith('v')))).toBe('WIRE_FORBIDDEN');
    expect(DENIALS).not.toContain(await codeOf(call(clientWith('o'))));
  });

  it.each(LOOKS)('lets a viewer call %s, and no stranger', async (_rpc, call) => {
    expect(DENIALS).not.toContain(await codeOf(call(clientWith('v'))));
    expect(await codeOf(call(clientWith('guess')))).toBe('WIRE_UNAUTHENTICATED');
  });

  it('answers without a store and says what is missing', async () => {
    const client = clientWith('v');
    await expect(client.getIncident('INC-1')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      details: { cure: expect.stringContaining('store.url') },
    });
    await expect(client.getTrace('a'.repeat(32))).rejects.toMatchObject({ code: 'TARGET_UNKNOWN' });
    await expect(client.listPlans()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
