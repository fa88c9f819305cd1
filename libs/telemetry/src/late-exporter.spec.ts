import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { TracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { LateExporter } from './late-exporter.ts';

const exporters: LateExporter[] = [];
afterEach(() => Promise.all(exporters.splice(0).map((exporter) => exporter.shutdown())));

function exporterTo(port: number): LateExporter {
  const exporter = new LateExporter({ url: `http://127.0.0.1:${port}`, timeoutMillis: 1000 });
  exporters.push(exporter);
  return exporter;
}

describe('the late exporter', () => {
  it('sends what it was given to whoever listens', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const exporter = exporterTo((server.address() as AddressInfo).port);
    const provider = new TracerProvider({
      spanProcessors: [exporter.loadedWithFirstSpan(), new BatchSpanProcessor({ exporter })],
    });
    provider.getTracer('spec').startSpan('sweep').end();
    await provider.shutdown().catch(() => undefined);
    server.close();
    expect(connections).toBeGreaterThan(0);
  });

  it('reports a collector that is away as failed, and ends', async () => {
    const exporter = exporterTo(1);
    const result = await new Promise<ExportResult>((resolve) => {
      exporter.export([], resolve);
    });
    expect(result.code).toBe(ExportResultCode.FAILED);
  });

  it('ends at once when nothing was ever sent', async () => {
    await expect(exporterTo(1).shutdown()).resolves.toBeUndefined();
  });
});
