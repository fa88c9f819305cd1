import { credentials } from '@grpc/grpc-js';
import { answerSchema } from '@starr/incident';
import { starrArgs, type Backstage } from '@starr/lab';
import {
  bearerTokenInterceptor,
  createOrchestratorClient,
  type OrchestratorClient,
} from '@starr/wire';
import { z } from 'zod';
import { runCommand, type CommandLine } from './run-command.ts';

const SWEEP_WITHIN_MS = 60_000;

export interface MeasuredSweep {
  readonly tookMs: number;
  readonly checks: number;
  readonly blind: number;
  readonly causes: readonly string[];
  readonly hasHistory: boolean;
  /** Absent: not traced. */
  readonly traceId: string | undefined;
  readonly cost: readonly {
    readonly target: string;
    readonly footprint: Readonly<Record<string, number>>;
  }[];
}

const printed = z.object({ traceId: z.string().optional(), answer: answerSchema });

/** `starr sweep --json`, from source. */
export function sweepLine(configPath: string): CommandLine {
  const args = starrArgs(['--config', configPath, 'sweep', '--json']);
  return { program: process.execPath, args };
}

/** As a person does it: the process from its start to its end. Rejects when the sweep fails. */
export async function sweepAsProcess(configPath: string): Promise<MeasuredSweep> {
  const { code, stdout, stderr, tookMs } = await runCommand(sweepLine(configPath));
  if (code === 3) throw new Error(`starr sweep failed: ${stderr}`);
  const { answer, traceId } = printed.parse(JSON.parse(stdout));
  return measured(tookMs, answer, traceId);
}

/** As another tool does it: a client that is connected already. */
export async function sweepAsClient(client: OrchestratorClient): Promise<MeasuredSweep> {
  const startedAtMs = performance.now();
  let answerJson: string | undefined;
  let traceId: string | undefined;
  for await (const event of client.sweep({}, AbortSignal.timeout(SWEEP_WITHIN_MS))) {
    if (event.kind === 'started') traceId = event.traceId;
    if (event.kind === 'answer') answerJson = event.answer.answerJson;
  }
  const tookMs = performance.now() - startedAtMs;
  if (answerJson === undefined) throw new Error('the sweep ended without an answer');
  return measured(tookMs, answerSchema.parse(JSON.parse(answerJson)), traceId);
}

function measured(
  tookMs: number,
  answer: z.infer<typeof answerSchema>,
  traceId: string | undefined,
): MeasuredSweep {
  return {
    tookMs,
    checks: answer.checks.length,
    blind: answer.checks.filter(({ status }) => status === 'blind').length,
    causes: answer.causes.map(({ playbook }) => playbook),
    // samples that the sweep took itself are no history
    hasHistory: answer.historySince !== undefined && answer.historySince < answer.startedAt,
    traceId,
    cost: answer.cost,
  };
}

/** The caller closes it. */
export function connect({ ports, token }: Backstage): OrchestratorClient {
  return createOrchestratorClient({
    address: `127.0.0.1:${ports.orchestrator}`,
    credentials: credentials.createInsecure(),
    interceptors: [bearerTokenInterceptor(token)],
  });
}
