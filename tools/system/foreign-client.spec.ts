import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { buildGoTools, prepareBackstage, type Backstage, type Services } from '@starr/lab';

const tools = await buildGoTools('grpcurl');
const withGrpcurl = tools.kind === 'present' ? describe : describe.skip;
const because = tools.kind === 'present' ? '' : ` (skipped: ${tools.why})`;

const DB = 'starr.db.v1.DbService';
const DOCTOR = 'starr.doctor.v1.DoctorService';
const ORCHESTRATOR = 'starr.orchestrator.v1.OrchestratorService';
const RESILIENCE = 'starr.resilience.v1.ResilienceService';
const HEALTH = 'grpc.health.v1.Health';

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

interface Printed {
  readonly code: number;
  readonly text: string;
}

withGrpcurl(`grpcurl, which knows nothing of us but reflection${because}`, () => {
  let backstage: Backstage;
  let services: Services;

  beforeAll(async () => {
    backstage = await prepareBackstage();
    services = await backstage.up({ environment: 'lab' });
  }, 180_000);
  afterAll(async () => {
    await services.stop();
    await backstage.remove();
  });

  const served = () =>
    [
      ['orchestrator', backstage.ports.orchestrator, [ORCHESTRATOR]],
      ['db-doctor', backstage.ports.dbDoctor, [DB, DOCTOR]],
      ['cache-doctor', backstage.ports.cacheDoctor, [DOCTOR]],
      ['k8s-doctor', backstage.ports.k8sDoctor, [DOCTOR]],
      ['resilience', backstage.ports.resilience, [DOCTOR, RESILIENCE]],
    ] as const;
  const grpcurl = (...args: readonly string[]): Promise<Printed> =>
    new Promise((resolve) => {
      const program = join(tools.kind === 'present' ? tools.folder : '', 'grpcurl');
      execFile(program, ['-plaintext', '-max-time', '20', ...args], (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code);
        resolve({ code, text: stdout + stderr });
      });
    });
  const at = (port: number) => `127.0.0.1:${port}`;
  const withToken = () => ['-H', `authorization: Bearer ${backstage.token}`];

  it('lists the services of each port', async () => {
    for (const [name, port, own] of served()) {
      const { code, text } = await grpcurl(at(port), 'list');
      expect({ name, code }).toEqual({ name, code: 0 });
      expect(text.split('\n')).toEqual(expect.arrayContaining([HEALTH, ...own]));
      // nothing is offered there that is not served there
      const ours = text.split('\n').filter((line) => line.startsWith('starr.'));
      expect(ours.sort()).toEqual([...own].sort());
    }
  });

  it('describes every service, every method and its messages', async () => {
    for (const [name, port, own] of served())
      for (const service of own) {
        const methods = (await grpcurl(at(port), 'list', service)).text.trim().split('\n');
        expect({ name, count: methods.length }).not.toEqual({ name, count: 0 });
        for (const method of methods) {
          const described = await grpcurl(at(port), 'describe', method);
          expect(described).toMatchObject({ code: 0, text: expect.stringContaining('rpc ') });
          const [, request, response] =
            /\( (?:stream )?(\.\S+) \) returns \( (?:stream )?(\.\S+) \)/.exec(described.text) ??
            [];
          for (const message of [request, response]) {
            const { code, text } = await grpcurl(at(port), 'describe', message ?? 'no message');
            expect({ method, code, text }).toMatchObject({
              code: 0,
              text: expect.stringContaining('is a message'),
            });
          }
        }
      }
  }, 300_000);

  it('hears that each is well, without a token', async () => {
    for (const [name, port, own] of served())
      for (const service of ['', ...own]) {
        const { text } = await grpcurl(
          '-d',
          JSON.stringify({ service }),
          at(port),
          `${HEALTH}/Check`,
        );
        expect({ name, service, text }).toMatchObject({
          text: expect.stringContaining('"status": "SERVING"'),
        });
      }
  });

  it('is refused without a token, and answered with it', async () => {
    for (const [name, port] of served().filter(([, , own]) =>
      own.some((each) => each === DOCTOR),
    )) {
      const refused = await grpcurl(at(port), `${DOCTOR}/Describe`);
      expect({ name, ...refused }).toMatchObject({
        text: expect.stringContaining('Code: Unauthenticated'),
      });
      expect(refused.code).not.toBe(0);
      const answered = await grpcurl(...withToken(), at(port), `${DOCTOR}/Describe`);
      expect({ name, code: answered.code }).toEqual({ name, code: 0 });
      expect(answered.text).toContain(`"name": "${name}"`);
    }
    const port = backstage.ports.orchestrator;
    expect((await grpcurl(at(port), `${ORCHESTRATOR}/Sweep`)).text).toContain(
      'Code: Unauthenticated',
    );
    const swept = await grpcurl(...withToken(), at(port), `${ORCHESTRATOR}/Sweep`);
    expect(swept.code).toBe(0);
    expect(swept.text).toContain('"answer"');
  });

  it('gets an error with details that it can read', async () => {
    const { text } = await grpcurl(
      ...withToken(),
      '-d',
      '{"traceId":"zz"}',
      at(backstage.ports.orchestrator),
      `${ORCHESTRATOR}/GetTrace`,
    );
    expect(text).toContain('Code: InvalidArgument');
    expect(text).toContain('"field": "trace_id"');
    expect(text).toContain('"reason": "WIRE_INVALID"');
  });
});
