import {
  blindSpot,
  toDoctorError,
  type BlindSpot,
  type Clock,
  type Doctor,
  type DoctorDescription,
} from '@starr/kernel';
import type { Log } from '@starr/telemetry';

/** A doctor of the configuration. */
export interface RosterMember {
  /** The name in starr.yaml. */
  readonly name: string;
  /** Prefixes that its ids may have, each with its dot: `db.`. */
  readonly prefixes: readonly string[];
  /** host:port; absent: inside the orchestrator. */
  readonly address?: string;
  /** What brings it back when it is away; absent: starr up. */
  readonly cure?: string;
  readonly doctor: Doctor;
}

const STARTED_BY_STARR_UP = 'start it: starr up';

export function cureOfAbsence({ cure }: RosterMember): string {
  return cure ?? STARTED_BY_STARR_UP;
}

/** A member with what it says of itself, ids outside its prefixes left out. */
export interface DescribedMember {
  readonly member: RosterMember;
  /** Absent: it never answered. */
  readonly description?: DoctorDescription;
  /** Why the description is old or absent; absent: it answered. */
  readonly away?: BlindSpot;
  /** Ids that it describes and its prefixes do not allow; they are left out, and that is said. */
  readonly foreign: readonly string[];
}

/** Keeps descriptions over a restart, so that an absent doctor's checks are known. May lose them. */
export interface DescriptionMemory {
  load(doctor: string): Promise<DoctorDescription | undefined>;
  save(doctor: string, description: DoctorDescription): Promise<void>;
}

interface Known {
  description?: DoctorDescription;
  foreign?: readonly string[];
  away?: BlindSpot;
  atMs: number;
  asking?: Promise<void>;
}

/** A description younger than this is taken as it is. */
const FRESH_MS = 10_000;

/** All configured doctors and what they last said of themselves. */
export class DoctorRoster {
  readonly members: readonly RosterMember[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #memory: DescriptionMemory;
  readonly #known = new Map<string, Known>();

  constructor(
    members: readonly RosterMember[],
    options: { clock: Clock; log: Log; memory: DescriptionMemory },
  ) {
    this.members = members;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#memory = options.memory;
  }

  /** Waits at most `waitMs` for those who are not known yet; the others answer from memory and are asked again meanwhile. */
  async described(waitMs: number): Promise<readonly DescribedMember[]> {
    const stop = new AbortController();
    const late = this.#clock.sleep(waitMs, stop.signal);
    await Promise.all(
      this.members.map(async (member) => {
        const known = this.#refresh(member);
        if (known.description === undefined) await Promise.race([known.asking, late]);
      }),
    );
    stop.abort();
    return this.members.map((member) => this.#describedMember(member));
  }

  /** Asks all of them now and waits; for health and catalog. */
  async describedNow(waitMs: number): Promise<readonly DescribedMember[]> {
    for (const known of this.#known.values()) known.atMs = -Infinity;
    const stop = new AbortController();
    const late = this.#clock.sleep(waitMs, stop.signal);
    await Promise.all(
      this.members.map((member) => Promise.race([this.#refresh(member).asking, late])),
    );
    stop.abort();
    return this.members.map((member) => this.#describedMember(member));
  }

  /** The member that examines this target, by what is known. */
  memberOfTarget(target: string): RosterMember | undefined {
    return this.members.find(({ name }) =>
      this.#known.get(name)?.description?.targets.some((each) => each.name === target),
    );
  }

  /** The member whose prefixes allow this id. */
  memberOfId(id: string): RosterMember | undefined {
    return this.members.find(({ prefixes }) => prefixes.some((prefix) => id.startsWith(prefix)));
  }

  #describedMember(member: RosterMember): DescribedMember {
    const { description, away, asking, foreign = [] } = this.#known.get(member.name) ?? {};
    const silent =
      description === undefined && asking !== undefined
        ? blindSpot('unreachable', `${member.name} has not answered yet`)
        : undefined;
    const why = away ?? silent;
    return {
      member,
      foreign,
      ...(description !== undefined && { description }),
      ...(why !== undefined && { away: why }),
    };
  }

  /** Once, not at each question. */
  #tellForeign(
    { name, prefixes }: RosterMember,
    foreign: readonly string[],
    before: readonly string[] | undefined,
  ): void {
    if (foreign.length === 0 || before !== undefined) return;
    this.#log.log('warn', `${name} describes ids that its configuration does not allow`, {
      ids: foreign.join(', '),
      allowed: prefixes.join(', '),
    });
  }

  #refresh(member: RosterMember): Known {
    const known = this.#known.get(member.name) ?? { atMs: -Infinity };
    this.#known.set(member.name, known);
    const isFresh = this.#clock.monotonicMs() - known.atMs < FRESH_MS && known.away === undefined;
    if (!isFresh) known.asking ??= this.#ask(member, known);
    return known;
  }

  async #ask(member: RosterMember, known: Known): Promise<void> {
    try {
      const { description, foreign } = pinned(await member.doctor.describe(), member);
      this.#tellForeign(member, foreign, known.foreign);
      known.description = description;
      known.foreign = foreign;
      delete known.away;
      void this.#memory.save(member.name, description).catch((error: unknown) => {
        this.#log.log('warn', `the description of ${member.name} could not be kept`, {
          error: String(error),
        });
      });
    } catch (thrown) {
      const error = toDoctorError(thrown);
      known.away = blindSpot(
        error.code === 'WIRE_UNAUTHENTICATED' || error.code === 'WIRE_FORBIDDEN'
          ? 'denied'
          : 'unreachable',
        `${member.name} does not answer${member.address === undefined ? '' : ` at ${member.address}`}: ${error.rawMessage}`,
        cureOfAbsence(member),
      );
      const remembered =
        known.description ?? (await this.#memory.load(member.name).catch(() => undefined));
      if (remembered !== undefined) known.description = remembered;
    } finally {
      known.atMs = this.#clock.monotonicMs();
      delete known.asking;
    }
  }
}

/** Ids outside the prefixes of the configuration are another's: a doctor must not speak for it. */
function pinned(
  description: DoctorDescription,
  { prefixes }: RosterMember,
): { readonly description: DoctorDescription; readonly foreign: readonly string[] } {
  const isOwn = ({ id }: { id: string }) => prefixes.some((prefix) => id.startsWith(prefix));
  const all = [...description.diagnostics, ...description.remedies];
  return {
    foreign: all.filter((each) => !isOwn(each)).map(({ id }) => id),
    description: {
      ...description,
      diagnostics: description.diagnostics.filter(isOwn),
      remedies: description.remedies.filter(isOwn),
    },
  };
}
