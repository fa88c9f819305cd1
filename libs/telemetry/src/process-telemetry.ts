import type { Telemetry } from './start.ts';

let current: Telemetry | undefined;

/** Called once by the preload. */
export function setProcessTelemetry(telemetry: Telemetry): void {
  current = telemetry;
}

/** Sends this process's pending spans before it ends; does nothing in a process without the preload. */
export async function stopTelemetry(): Promise<void> {
  await current?.stop();
  current = undefined;
}
