import { createLog, type Log } from '@starr/telemetry';
import type { Credential } from './auth.ts';
import { createDoctor, type DoctorOptions } from './create-doctor.ts';
import { serveGrpc, type ServedService, type Serving } from './serve-grpc.ts';
import { doctorService } from './services/doctor-service.ts';

export interface ServeDoctorOptions<Q, O> extends DoctorOptions<Q, O> {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: a free one. */
  readonly port: number;
  readonly credentials: readonly Credential[];
  /** Typed APIs beside the contract. */
  readonly services?: readonly ServedService[];
}

/** A doctor as a process of its own serves it: all that a sixth one needs to write beside its catalog and adapter. */
export async function serveDoctor<Q, O>(options: ServeDoctorOptions<Q, O>): Promise<Serving> {
  const log: Log = options.log ?? createLog(options.name);
  const doctor = createDoctor({ ...options, log });
  const services = [doctorService(doctor, log), ...(options.services ?? [])];
  try {
    const serving = await serveGrpc({
      host: options.host ?? '127.0.0.1',
      port: options.port,
      credentials: options.credentials,
      services,
    });
    return {
      port: serving.port,
      stop: async (graceMs) => {
        await serving.stop(graceMs);
        await doctor.close();
      },
    };
  } catch (error) {
    await doctor.close();
    throw error;
  }
}
