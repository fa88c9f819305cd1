import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

export interface LateExporterOptions {
  readonly url: string;
  readonly timeoutMillis: number;
}

/** Long enough for a command to have sent its question: it then loads what it needs at its end while it waits. */
const LOAD_AFTER_MS = 30;

/** The OTLP exporter, loaded when it is needed: its packages cost a short command as much as all the rest of it. */
export class LateExporter implements SpanExporter {
  readonly #options: LateExporterOptions;
  #loading: Promise<OTLPTraceExporter> | undefined;

  constructor(options: LateExporterOptions) {
    this.#options = options;
  }

  /** Begins to load soon after the first span began. */
  loadedWithFirstSpan(): SpanProcessor {
    let isBegun = false;
    return {
      onStart: () => {
        if (isBegun) return;
        isBegun = true;
        setTimeout(() => void this.#load().catch(() => undefined), LOAD_AFTER_MS).unref();
      },
      onEnd: () => undefined,
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    };
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#load().then(
      (exporter) => {
        exporter.export(spans, done);
      },
      (thrown: unknown) => {
        done({
          code: ExportResultCode.FAILED,
          error: Error.isError(thrown) ? thrown : new Error(String(thrown)),
        });
      },
    );
  }

  async shutdown(): Promise<void> {
    await (await this.#loading)?.shutdown();
  }

  #load(): Promise<OTLPTraceExporter> {
    this.#loading ??= import('@opentelemetry/exporter-trace-otlp-grpc').then(
      ({ OTLPTraceExporter: Exporter }) => new Exporter(this.#options),
    );
    return this.#loading;
  }
}
