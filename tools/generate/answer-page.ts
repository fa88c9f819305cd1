import { answerSchema } from '@starr/incident';
import { z } from 'zod';
import { writePage } from './write-page.ts';

/** The shape of `starr sweep --json`, from the schema that reads it back. */
export async function writeAnswerPage(): Promise<void> {
  const schema = z.toJSONSchema(answerSchema, { io: 'input', unrepresentable: 'any' });
  await writePage(
    'docs/answer-json.md',
    [
      '# The JSON of a sweep',
      '',
      '`starr sweep --json` prints one object: `incident` (absent: nothing was found, or nothing could be recorded), `traceId` (absent: not traced),',
      '`plans` (proposals: `plan`, `role`, `says`, `remedy`, `target`) and `answer`. Members may be added; none changes its meaning or goes away.',
      'Moments are RFC 3339, int64 are text of digits. The schema of `answer`:',
      '',
      '```json',
      JSON.stringify(schema, null, 2),
      '```',
    ].join('\n'),
  );
}
