import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { credentials } from '@grpc/grpc-js';
import { statusOf, type CheckResult } from '@starr/kernel';
import { bearerTokenInterceptor, createDoctorClient } from '@starr/wire';
import { serveDoctor } from './serve-doctor.ts';
import type { Serving } from './serve-grpc.ts';
import { createFolderAdapter, folderCatalog } from './spec/folder-doctor.ts';

let path: string;
let serving: Serving;

beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'starr-serve-'));
  for (const name of ['a', 'b', 'c']) await writeFile(join(path, name), '');
  serving = await serve('127.0.0.1');
});

afterAll(async () => {
  await serving.stop();
  await rm(path, { recursive: true });
});

function serve(host: string) {
  const targets = [
    { name: 'inbox', kind: 'folder', adapter: createFolderAdapter(path), acts: false },
  ];
  return serveDoctor({
    name: 'folder-doctor',
    catalog: folderCatalog,
    targets,
    host,
    port: 0,
    sampler: 'off',
    pairGapMs: 10,
    credentials: [
      { token: 'see', role: 'viewer' },
      { token: 'do', role: 'operator' },
    ],
  });
}

function client(token?: string) {
  const interceptors = token === undefined ? [] : [bearerTokenInterceptor(token)];
  return createDoctorClient({
    address: `127.0.0.1:${serving.port}`,
    credentials: credentials.createInsecure(),
    interceptors,
  });
}

async function first(token?: string): Promise<CheckResult | undefined> {
  const doctor = client(token);
  try {
    for await (const result of doctor.examine(
      { windowMs: 60_000, budgetMs: 1000, diagnostics: ['folder.files'] },
      new AbortController().signal,
    ))
      return result;
    return undefined;
  } finally {
    doctor.close();
  }
}

describe('a doctor over gRPC', () => {
  it('gives the same result as without a wire, measurements, rows and moments included', async () => {
    const result = await first('see');
    expect(result && statusOf(result.verdict)).toBe('found');
    expect(result).toMatchObject({
      diagnostic: 'folder.files',
      target: 'inbox',
      thresholds: { most: 2 },
      footprint: { lists: 1 },
    });
    expect(result?.relations).toHaveLength(3);
  });

  it('describes itself in full, over as many pages as it takes', async () => {
    const doctor = client('see');
    const description = await doctor.describe();
    doctor.close();
    expect(description.diagnostics.map(({ id }) => id)).toEqual(['folder.files', 'folder.growth']);
    expect(description.remedies[0]).toMatchObject({ id: 'folder.set-aside', reversible: true });
    expect(description.targets).toEqual([{ name: 'inbox', kind: 'folder', acts: false }]);
  });

  it('answers nobody without a credential, and a viewer only as a viewer', async () => {
    await expect(first()).rejects.toMatchObject({
      code: 'WIRE_UNAUTHENTICATED',
      details: { field: 'authorization' },
    });
    await expect(first('wrong')).rejects.toMatchObject({ code: 'WIRE_UNAUTHENTICATED' });
    const viewer = client('see');
    await expect(viewer.probe({ seal: '', operationId: '' })).rejects.toMatchObject({
      code: 'WIRE_FORBIDDEN',
    });
    viewer.close();
  });

  it('carries errors with code, field and what is allowed', async () => {
    const doctor = client('see');
    const bad = (async () => {
      for await (const result of doctor.examine(
        { windowMs: 60_000, budgetMs: 1000, targets: ['outbox'] },
        new AbortController().signal,
      ))
        return result;
      return undefined;
    })();
    await expect(bad).rejects.toMatchObject({
      code: 'WIRE_INVALID',
      details: { field: 'targets', received: 'outbox', allowed: 'inbox' },
    });
    doctor.close();
  });

  it('refuses to listen off loopback', async () => {
    await expect(serve('0.0.0.0')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { field: 'listen.host', received: '0.0.0.0' },
    });
  });
});
