#!/usr/bin/env node
// First step of every command, on whatever Node the machine has (20 or newer), before anything is installed:
// npm packages, a current Node among them; then the command itself on that Node.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const LEAST_NODE_HERE = 20;
/** The OpenTelemetry and Kubernetes clients need it. */
const LEAST_NODE = [22, 22];

const COMMANDS = {
  demo: 'tools/demo/main.ts',
  test: 'tools/test/main.ts',
  lab: 'tools/lab/main.ts',
  bench: 'tools/bench/main.ts',
  mutation: 'tools/mutation/main.ts',
  soak: 'tools/soak/main.ts',
  'game-day': 'tools/game-day/main.ts',
  starr: 'apps/cli/src/main.ts',
};

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(3);
}

/** Installed from this very lock file, or an older one, or not at all. */
function isInstalled() {
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  return (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs
  );
}

/** Shows one line that moves on a terminal; elsewhere a line at the beginning and one at the end. */
function install() {
  const log = join(mkdtempSync(join(tmpdir(), 'starr-setup-')), 'npm.log');
  const file = openSync(log, 'w');
  const startedAt = Date.now();
  const say = (text) =>
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  const expected = Object.keys(
    JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages,
  ).length;
  const show = () => say(`setup  npm packages (about ${expected}) … ${seconds()}`);
  show();
  const timer = process.stderr.isTTY ? setInterval(show, 500) : undefined;
  return new Promise((done) => {
    // No lifecycle scripts: what is needed of them (links inside PostgreSQL's package) the lab makes itself.
    const npm = spawn(
      'npm',
      ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      { cwd: ROOT, stdio: ['ignore', file, file] },
    );
    npm.on('error', (error) => fail(`setup  npm cannot be started: ${error.message}`));
    npm.on('exit', (code) => {
      clearInterval(timer);
      if (code !== 0)
        fail(`\nsetup  npm ci failed (${code}):\n${readFileSync(log, 'utf8').slice(-4000)}`);
      say(`setup  npm packages ready in ${seconds()}\n`);
      done();
    });
  });
}

/** A current Node: the packaged one where there is one for this machine, else our own if it is new enough. */
function findNode() {
  const packaged = join(ROOT, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(packaged)) return packaged;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]))
    return process.execPath;
  return fail(
    `setup  Node ${LEAST_NODE.join('.')} or newer is needed here: none is packaged for ${process.platform}-${process.arch}, and this is ${process.version}`,
  );
}

const [command, ...args] = process.argv.slice(2);
if (Number(process.versions.node.split('.')[0]) < LEAST_NODE_HERE)
  fail(`setup  Node ${LEAST_NODE_HERE} or newer is needed to begin; this is ${process.version}`);
if (!isInstalled()) await install();
if (command !== undefined) {
  const script =
    COMMANDS[command] ??
    fail(`setup  command is "${command}"; allowed: ${Object.keys(COMMANDS).join(', ')}`);
  const node = findNode();
  const env = {
    ...process.env,
    PATH: `${dirname(node)}:${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`,
  };
  const cwd = command === 'starr' ? process.cwd() : ROOT;
  const child = spawn(
    node,
    [
      '--disable-warning=ExperimentalWarning',
      '--conditions=@starr/source',
      join(ROOT, script),
      ...args,
    ],
    { cwd, env, stdio: 'inherit' },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}
