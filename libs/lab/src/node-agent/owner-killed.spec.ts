import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { buildGoTools } from '../go-tools.ts';
import { isAlive } from '../leash.ts';
import { waitUntil } from '../wait-until.ts';

const tools = await buildGoTools('kubernetes');
const onKubernetes = tools.kind === 'present' ? describe : describe.skip;
const because = tools.kind === 'present' ? '' : ` (skipped: ${tools.why})`;

const href = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

const OWNER = `
  const { startKubernetes, startLabNodes, waitUntil } = await import(${href('../index.ts')});
  const { TEST_IMAGES, NAMESPACE, podObject } = await import(${href('./test-pods.ts')});
  const cluster = await startKubernetes();
  const nodes = await startLabNodes(cluster, { images: TEST_IMAGES });
  const body = podObject('stubborn', { image: 'stubborn' });
  await cluster.api().ask({ method: 'POST', path: NAMESPACE + '/pods', body });
  const pod = await waitUntil(() => nodes.processOf('default', 'stubborn'), { what: 'the pod' });
  const servers = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
  const pids = [...servers.map((name) => cluster.pid(name)), nodes.pid, pod];
  console.log(JSON.stringify({ pids, folder: cluster.dataFolder }));`;

/** Every process of the machine that has the folder in its command line. */
const usersOf = (folder: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(folder) ? [line] : [];
      } catch {
        return [];
      }
    });

onKubernetes(`a cluster whose owner is killed${because}`, () => {
  it('leaves no server, no agent, no pod and no file behind', async () => {
    const owner = spawn(
      process.execPath,
      ['--conditions=@starr/source', '--input-type=module', '-e', OWNER],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } },
    );
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const { pids, folder } = JSON.parse(line) as { pids: number[]; folder: string };
    expect(pids.map(isAlive)).toEqual([true, true, true, true, true, true]);
    owner.kill('SIGKILL');
    const isOver = (): true | undefined =>
      (!pids.some(isAlive) && !existsSync(folder)) || undefined;
    await waitUntil(isOver, { what: 'the end of all of it', withinMs: 40_000 });
    await waitUntil(() => usersOf(folder).length === 0 || undefined, { what: 'no watcher left' });
  }, 120_000);
});
