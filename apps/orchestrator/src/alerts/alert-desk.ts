import { createHash } from 'node:crypto';
import { answerFromJson, tenLines, type Answer } from '@starr/incident';
import { toDoctorError } from '@starr/kernel';
import type { Opener, Store } from '@starr/store';
import type { Log } from '@starr/telemetry';
import type { AnswerView, SweepEvent, SweepRequest } from '@starr/wire';
import type { AlertGroup } from './alertmanager-alert.ts';
import type { Notifier } from './notifier.ts';

export interface AlertDeskParts {
  readonly environment: string;
  readonly store: Store | undefined;
  readonly sweep: (
    request: SweepRequest,
    requester: Opener,
    signal: AbortSignal,
  ) => AsyncIterable<SweepEvent>;
  readonly notifier: Notifier;
  readonly stopping: AbortSignal;
  readonly log: Log;
}

/** Takes alerts in: each group that fires gets a sweep, an incident and one message out. */
export class AlertDesk {
  readonly #parts: AlertDeskParts;
  readonly #busy = new Map<string, Promise<void>>();

  constructor(parts: AlertDeskParts) {
    this.#parts = parts;
  }

  /** At once: what it takes happens after it. A group that is told again while its sweep runs is one. */
  receive(group: AlertGroup): 'begun' | 'under-way' | 'resolved' {
    if (!group.isFiring) return 'resolved';
    if (this.#busy.has(group.key)) return 'under-way';
    const work = this.#handle(group)
      .catch((error: unknown) => {
        this.#parts.log.log('error', `the alert ${group.name} could not be handled`, {
          error: toDoctorError(error).rawMessage,
        });
      })
      .finally(() => this.#busy.delete(group.key));
    this.#busy.set(group.key, work);
    return 'begun';
  }

  /** For a stop without losing a message. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  async #handle(group: AlertGroup): Promise<void> {
    const opener: Opener = { kind: 'alert', name: group.name, firedAt: group.firedAt };
    let sweepId = '';
    let traceId: string | undefined;
    let view: AnswerView | undefined;
    let isRecorded = false;
    for await (const event of this.#parts.sweep({}, opener, this.#parts.stopping)) {
      if (event.kind === 'started') ({ sweepId, traceId } = event);
      else if (event.kind === 'answer') view = event.answer;
      else if (event.kind === 'ended') isRecorded = event.recorded;
    }
    const answer = view && answerFromJson(view.answerJson);
    if (view === undefined || answer === undefined) return;
    const incident =
      view.incident ??
      (isRecorded ? await this.#openUnexplained(group, opener, sweepId) : undefined);
    await this.#tell(group, answer, incident, traceId);
  }

  /** Somebody was woken, so there is an incident, also when nothing was found: then that is what it says. */
  async #openUnexplained(
    group: AlertGroup,
    openedBy: Opener,
    sweep: string,
  ): Promise<string | undefined> {
    const { store, environment, log } = this.#parts;
    try {
      const incident = await store?.incidents.open({
        environment,
        openedBy,
        fingerprint: `alert|${createHash('sha256').update(group.key).digest('hex')}`,
        title: `${group.name} fires; nothing was found`,
        sweep,
      });
      return incident?.id;
    } catch (error) {
      log.log('warn', `no incident for ${group.name}`, { error: toDoctorError(error).rawMessage });
      return undefined;
    }
  }

  async #tell(
    group: AlertGroup,
    answer: Answer,
    incident: string | undefined,
    traceId: string | undefined,
  ): Promise<void> {
    const marks = {
      ...(incident !== undefined && { incident }),
      ...(traceId !== undefined && { traceId }),
    };
    await this.#parts.notifier.send({
      answer,
      lines: tenLines(answer, marks),
      dedupKey: incident === undefined ? group.key.slice(0, 255) : `starr-${incident}`,
    });
  }
}
