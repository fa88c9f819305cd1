import { describe, expect, it } from '@jest/globals';
import { mineTemplates } from './template-miner.ts';

const mined = (...messages: string[]) =>
  mineTemplates(messages).map(({ text, members }) => `${members.length} ${text}`);

describe('templates of messages', () => {
  it.each<[string, string[], string[]]>([
    ['numbers', ['order 17 failed', 'order 18 failed'], ['2 order <*> failed']],
    ['units', ['took 30ms for u1', 'took 4711ms for u2'], ['2 took <*>ms for u<*>']],
    [
      'addresses',
      ['connect ECONNREFUSED 10.0.0.1:5432', 'connect ECONNREFUSED 10.0.0.2:5432'],
      ['2 connect ECONNREFUSED <*>'],
    ],
    [
      'uuids',
      [
        'user 9c858901-8a57-4791-81fe-4c455b099bc9 gone',
        'user 16fd2706-8baf-433b-82eb-8c7fada847da gone',
      ],
      ['2 user <*> gone'],
    ],
    ['hashes', ['commit deadbeef01 lost', 'commit cafebabe99 lost'], ['2 commit <*> lost']],
    [
      'names in the middle',
      ['timeout of client alice while waiting', 'timeout of client bob while waiting'],
      ['2 timeout of client <*> while waiting'],
    ],
    [
      'short messages are compared whole',
      ['connection refused', 'connection reset'],
      ['1 connection refused', '1 connection reset'],
    ],
    [
      'another length is another template',
      ['a b c d e f', 'a b c d e'],
      ['1 a b c d e', '1 a b c d e f'],
    ],
    [
      'words that hold hex letters stay',
      ['feedface is a word', 'feedface is a word'],
      ['2 feedface is a word'],
    ],
    ['the empty message', ['', ''], ['2 ']],
  ])('%s', (_what, messages, templates) => {
    expect(mined(...messages)).toEqual(templates);
  });

  it('counts the most frequent first and knows the members by their place', () => {
    const templates = mineTemplates(['rare thing happened here', 'boom 1', 'boom 2', 'boom 3']);
    expect(templates.map(({ members }) => members)).toEqual([[1, 2, 3], [0]]);
  });

  it('is bounded: what is beyond shares one template, and no message is lost', () => {
    const letters = (n: number) => String.fromCharCode(97 + Math.floor(n / 26), 97 + (n % 26));
    const messages = Array.from({ length: 600 }, (_, n) => `${letters(n)} unlike the others`);
    const templates = mineTemplates(messages);
    expect(templates).toHaveLength(501);
    expect(templates.flatMap(({ members }) => members)).toHaveLength(600);
  });

  it('takes in 50,000 lines in a moment, on a busy machine too', () => {
    const messages = Array.from(
      { length: 50_000 },
      (_, n) => `timeout acquiring client ${n} after ${n % 900} ms on pod checkout-${n % 7}`,
    );
    const began = performance.now();
    expect(mineTemplates(messages)).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
