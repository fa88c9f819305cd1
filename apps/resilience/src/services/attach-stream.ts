import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import { DoctorError, type ErrorCode } from '@starr/kernel';
import type { Attached } from '@starr/resilience';
import type { Log } from '@starr/telemetry';
import {
  processMessageFromProto,
  serviceMessageToProto,
  statusFromError,
  type AttachRequest,
  type AttachResponse,
  type ProcessIdentity,
  type ProcessMessage,
  type ProcessReport,
  type ServiceMessage,
} from '@starr/wire';
import { checkIdentity, checkReport } from './check-message.ts';
import { peerAddress } from './peer-address.ts';
import type { ProcessFleet } from './process-fleet.ts';

const reportIntervalMs = 5000;
const helloWithinMs = 5000;
const maxProcesses = 5000;

type Call = ServerDuplexStream<AttachRequest, AttachResponse>;

/** One stream a process. Goodbye detaches cleanly; every other end is a loss. */
export function attachStream(
  fleet: ProcessFleet,
  log: Log,
): handleBidiStreamingCall<AttachRequest, AttachResponse> {
  return (call) => {
    const stream = new ProcessStream(call, fleet, log);
    // writing to a process that has gone emits an error that nobody needs
    call.on('error', () => undefined);
    call.on('data', (request: AttachRequest) => {
      stream.receive(request);
    });
    call.on('end', () => {
      stream.end(false);
      call.end();
    });
    call.on('cancelled', () => {
      stream.end(false);
    });
  };
}

class ProcessStream {
  readonly #call: Call;
  readonly #fleet: ProcessFleet;
  readonly #log: Log;
  readonly #late: NodeJS.Timeout;
  #identity: ProcessIdentity | undefined;
  #attached: Attached<ProcessReport> | undefined;
  #ended = false;

  constructor(call: Call, fleet: ProcessFleet, log: Log) {
    this.#call = call;
    this.#fleet = fleet;
    this.#log = log;
    this.#late = setTimeout(() => {
      this.#fail('WIRE_INVALID', `no hello within ${helloWithinMs} ms`);
    }, helloWithinMs);
  }

  receive(request: AttachRequest): void {
    if (this.#ended) return;
    const message = processMessageFromProto(request);
    if (message === undefined) return;
    if (this.#attached) this.#hear(this.#attached, message);
    else if (message.kind === 'hello') this.#attach(message.identity);
    else this.#fail('WIRE_INVALID', 'the first message is not hello');
  }

  end(clean: boolean): void {
    clearTimeout(this.#late);
    if (this.#ended) return;
    this.#ended = true;
    this.#attached?.detach(clean);
    if (this.#identity) {
      const { service, instance } = this.#identity;
      this.#log.log('info', clean ? 'process detached' : 'process lost', { of: service, instance });
    }
  }

  #hear(attached: Attached<ProcessReport>, message: ProcessMessage): void {
    switch (message.kind) {
      case 'hello':
        this.#fail('WIRE_INVALID', 'hello came twice');
        return;
      case 'report': {
        const wrong = checkReport(message.report);
        if (wrong === undefined) attached.report(message.report);
        else this.#fail('WIRE_INVALID', wrong);
        return;
      }
      case 'acknowledgement':
        attached.acknowledge(message.commandId, message.end);
        return;
      case 'goodbye':
        this.end(true);
    }
  }

  #attach(identity: ProcessIdentity): void {
    const wrong = checkIdentity(identity);
    if (wrong !== undefined) {
      this.#fail('WIRE_INVALID', wrong);
      return;
    }
    if (this.#fleet.size >= maxProcesses) {
      this.#fail('TARGET_BUSY', `${maxProcesses} processes are attached already`);
      return;
    }
    clearTimeout(this.#late);
    this.#identity = identity;
    this.#attached = this.#fleet.attach(identity, peerAddress(this.#call.getPeer()), {
      send: (id, command) => {
        this.#send({ kind: 'command', id, command });
      },
      close: (why) => {
        this.#fail('WIRE_UNREACHABLE', why);
      },
    });
    const { service, instance } = identity;
    this.#log.log('info', 'process attached', { of: service, instance });
    this.#send({ kind: 'welcome', reportIntervalMs });
  }

  #send(message: ServiceMessage): void {
    if (!this.#ended) this.#call.write(serviceMessageToProto(message));
  }

  #fail(code: ErrorCode, message: string): void {
    if (this.#ended) return;
    this.end(false);
    this.#call.emit('error', statusFromError(new DoctorError(code, { message })));
  }
}
