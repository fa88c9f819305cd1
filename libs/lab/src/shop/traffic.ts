import { type ShopLogLine, type ShopProcess, startShopProcess } from './shop-process.ts';

/** What users met in one window; the shop's traffic reports it. */
export interface TrafficWindow {
  readonly startedAt: Date;
  readonly windowMs: number;
  readonly ok: number;
  readonly failed: number;
  /** 0–1; absent when nothing ended in the window. */
  readonly successRatio?: number;
  readonly p95Ms?: number;
  readonly reasons: Readonly<Record<string, number>>;
}

export interface TrafficOptions {
  readonly targets: readonly string[];
  /** Default 20. */
  readonly perSecond?: number;
  /** It ends by itself after so long. Default 600,000. */
  readonly forMs?: number;
  /** Default 1000. */
  readonly windowMs?: number;
  /** Default 1: the same customers and amounts each time. */
  readonly seed?: number;
}

/** Steady users of the shop, and what they meet. */
export interface Traffic extends AsyncDisposable {
  readonly process: ShopProcess;
  /** All windows so far, oldest first, at most the newest 3600. */
  readonly windows: readonly TrafficWindow[];
  aim(targets: readonly string[]): Promise<void>;
  onWindow(listener: (window: TrafficWindow) => void): () => void;
  /**
   * Resolves with the window that completes a run of `windows` in a row (default 1) in which at most
   * this share of checkouts succeeded, default 0.95: users feel it. Rejects after `withinMs`.
   */
  untilFelt(ask: { atMost?: number; windows?: number; withinMs: number }): Promise<TrafficWindow>;
  /** The same the other way round: at least this share, default 0.99, in `windows` in a row, default 5. */
  untilWell(ask: { atLeast?: number; windows?: number; withinMs: number }): Promise<TrafficWindow>;
  stop(): Promise<void>;
}

const KEPT_WINDOWS = 3600;

export async function startTraffic(address: string, options: TrafficOptions): Promise<Traffic> {
  const process = await startShopProcess({
    role: 'traffic',
    instance: 'traffic',
    revision: '1',
    address,
    env: {
      SHOP_TRAFFIC_TARGETS: options.targets.join(','),
      SHOP_TRAFFIC_PER_SECOND: textOf(options.perSecond),
      SHOP_TRAFFIC_FOR_MS: textOf(options.forMs),
      SHOP_TRAFFIC_WINDOW_MS: textOf(options.windowMs),
      SHOP_TRAFFIC_SEED: textOf(options.seed),
    },
  });
  const windows: TrafficWindow[] = [];
  const listeners = new Set<(window: TrafficWindow) => void>();
  process.onLog((line) => {
    if (line['msg'] !== 'window') return;
    const window = windowFrom(line);
    windows.push(window);
    if (windows.length > KEPT_WINDOWS) windows.shift();
    for (const listener of [...listeners]) listener(window);
  });
  const onWindow: Traffic['onWindow'] = (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const stop = (): Promise<void> => process.stop();
  return {
    process,
    windows,
    aim: async (targets) => {
      await process.post('/targets', { targets });
    },
    onWindow,
    untilFelt: ({ atMost = 0.95, windows: run = 1, withinMs }) =>
      untilRun(onWindow, run, withinMs, 'users to feel it', (ratio) => ratio <= atMost),
    untilWell: ({ atLeast = 0.99, windows: run = 5, withinMs }) =>
      untilRun(onWindow, run, withinMs, 'users to be well', (ratio) => ratio >= atLeast),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function untilRun(
  onWindow: Traffic['onWindow'],
  run: number,
  withinMs: number,
  what: string,
  counts: (successRatio: number) => boolean,
): Promise<TrafficWindow> {
  return new Promise((resolve, reject) => {
    let inARow = 0;
    let last: TrafficWindow | undefined;
    const late = setTimeout(() => {
      unsubscribe();
      reject(
        new Error(`waited ${withinMs} ms for ${what}; the last window: ${JSON.stringify(last)}`),
      );
    }, withinMs);
    const unsubscribe = onWindow((window) => {
      last = window;
      if (window.successRatio === undefined) return; // nobody came: it says nothing
      inARow = counts(window.successRatio) ? inARow + 1 : 0;
      if (inARow < run) return;
      clearTimeout(late);
      unsubscribe();
      resolve(window);
    });
  });
}

function windowFrom(line: ShopLogLine): TrafficWindow {
  const { startedAt, windowMs, ok, failed, successRatio, p95Ms, reasons } = line as unknown as Omit<
    TrafficWindow,
    'startedAt'
  > & { startedAt: string };
  return {
    startedAt: new Date(startedAt),
    windowMs,
    ok,
    failed,
    ...(successRatio === undefined ? {} : { successRatio }),
    ...(p95Ms === undefined ? {} : { p95Ms }),
    reasons,
  };
}

function textOf(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
