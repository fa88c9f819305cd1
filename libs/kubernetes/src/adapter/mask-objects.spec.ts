import { describe, expect, it } from '@jest/globals';
import { deployment, pod, replicaSet } from '../test/make-objects.ts';
import {
  hashTemplate,
  maskDeployment,
  maskEvent,
  maskPod,
  maskReplicaSet,
} from './mask-objects.ts';
import { maskLines } from './read-log.ts';

const SECRET = 'hunter2';

describe('what leaves the adapter', () => {
  const image = 'shop/checkout:1';
  const secretive = (value: string) => ({
    metadata: { labels: { app: 'checkout', 'pod-template-hash': 'x' } },
    spec: {
      containers: [
        {
          name: 'app',
          image,
          command: ['run', value],
          args: [`--key=${value}`],
          env: [{ name: 'KEY', value }],
        },
      ],
    },
  });

  it('holds no value of a variable, no command and no argument', () => {
    const set = {
      ...replicaSet({ revision: 1, createdMs: 1 }),
      spec: { template: secretive(SECRET) },
    };
    const meta = {
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': SECRET, other: 'kept' },
    };
    const masked = [
      maskReplicaSet(set),
      maskDeployment(deployment({ spec: { template: secretive(SECRET) }, meta })),
      maskPod({ ...pod(), spec: secretive(SECRET).spec, metadata: meta }),
    ];
    expect(JSON.stringify(masked)).not.toContain(SECRET);
    expect(JSON.stringify(masked[1])).toContain('kept');
    expect(JSON.stringify(masked[0])).toContain(image);
  });

  it('still tells equal values from different ones', () => {
    const masked = (value: string) =>
      maskReplicaSet({ spec: { template: secretive(value) } }).spec?.template;
    expect(masked('a')).toEqual(masked('a'));
    expect(masked('a')).not.toEqual(masked('b'));
  });

  it('holds no secret of a message', () => {
    const text = `pull failed: password=${SECRET}`;
    const waiting = {
      name: 'app',
      state: { waiting: { reason: 'ErrImagePull', message: text } },
      lastState: { terminated: { message: text } },
    };
    const sick = pod({
      container: waiting,
      more: { message: text, conditions: [{ type: 'Ready', message: text }] },
    });
    expect(JSON.stringify([maskPod(sick), maskEvent({ message: text, note: text })])).not.toContain(
      SECRET,
    );
  });

  it('hashes a template as the Deployment and its ReplicaSet both hold it', () => {
    const { 'pod-template-hash': _hash, ...labels } = secretive('a').metadata.labels;
    expect(hashTemplate(secretive('a'))).toBe(
      hashTemplate({ ...secretive('a'), metadata: { labels } }),
    );
    expect(hashTemplate(secretive('a'))).not.toBe(hashTemplate(secretive('b')));
  });
});

describe('lines of a log', () => {
  const at = (n: number) => `2026-11-24T03:05:0${n}Z `;
  it('lose their secrets and keep their time stamps', () => {
    expect(maskLines([`${at(1)}login password=${SECRET}`, `${at(2)}fine`])).toEqual([
      `${at(1)}login password=***`,
      `${at(2)}fine`,
    ]);
    expect(maskLines([`${at(1)}password:`, `${at(2)}fine`])).toEqual([
      `${at(1)}password:`,
      `${at(2)}fine`,
    ]);
  });

  it('lose a private key that goes over several of them', () => {
    const key = [
      '-----BEGIN PRIVATE KEY-----',
      'MIIEvQ',
      'AAAA',
      '-----END PRIVATE KEY-----',
      'after',
    ];
    const masked = maskLines(key.map((line, n) => at(n) + line));
    expect(masked.join()).not.toMatch(/MIIEvQ|AAAA/);
    expect(masked.at(-1)).toBe(`${at(4)}after`);
  });

  it('do not vanish for ever behind a key that never ends', () => {
    const lines = ['-----BEGIN PRIVATE KEY-----', ...Array.from({ length: 200 }, () => 'x')];
    expect(maskLines(lines.map((line) => at(1) + line)).at(-1)).toBe(`${at(1)}x`);
  });
});
