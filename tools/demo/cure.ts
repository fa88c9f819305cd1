import { spawn } from 'node:child_process';
import { starrArgs, type Services } from '@starr/lab';
import type { Narrator } from './narrator.ts';

/**
 * Shows the plan, gets it approved and follows it to its effect. On a terminal `starr apply` itself asks; elsewhere the
 * demo, and only the demo, approves by the hash that it has just read. True: the effect is established.
 */
export async function planAndApply(
  services: Services,
  configPath: string,
  plan: string,
  narrator: Narrator,
): Promise<boolean> {
  // There `starr apply` shows the plan itself, before it asks.
  if (process.stdin.isTTY && process.stdout.isTTY)
    return (await onTerminal(['--config', configPath, 'apply', plan])) === 0;
  const planned = await services.starr('plan', plan);
  narrator.command(`starr plan ${plan}`, planned.stdout + planned.stderr);
  const hash = /^hash +(\S+)$/m.exec(planned.stdout)?.[1];
  if (planned.code !== 0 || hash === undefined) return false;
  const applied = await services.starr(
    'apply',
    plan,
    '--approve',
    hash,
    '--reason',
    'the demo approves by itself',
  );
  narrator.command(`starr apply ${plan} --approve ${hash}`, applied.stdout + applied.stderr);
  return applied.code === 0;
}

/** With the terminal handed on, so that it can ask and show its progress. */
function onTerminal(args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...starrArgs(args)], { stdio: 'inherit' });
    child.on('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}
