import type { Services } from '@starr/lab';
import { sweepJson, type SweepJson } from '../demo/sweep-json.ts';
import { applyCure } from './apply-cure.ts';
import type { PlayContext } from './scenario.ts';

/** What was printed while a scenario was played; shown when it did not go as it should. */
export interface Transcript extends Pick<PlayContext, 'look' | 'cure'> {
  readonly text: () => string;
}

export function createTranscript(): Transcript {
  const parts: string[] = [];
  return {
    text: () => parts.join('\n'),
    async look(services) {
      const sweep = await sweepJson(services);
      parts.push(await asRead(services, sweep));
      return sweep;
    },
    async cure(services, sweep, remedy) {
      const { end, text } = await applyCure(services, sweep, remedy);
      parts.push(text);
      return end;
    },
  };
}

/** The answer as a person reads it; what was found is kept as text where no incident was opened. */
async function asRead(services: Services, { incident, answer }: SweepJson): Promise<string> {
  if (incident !== undefined) return (await services.starr('show', incident, '--all')).stdout;
  return JSON.stringify({ findings: answer.findings, blind: answer.blind }, null, 2);
}
