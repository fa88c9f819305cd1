import type { QueuedWork } from './queued-work.ts';
import { WorkLine } from './work-line.ts';
import type { DrainRule, Priority, WorkQueueSettings } from './work-queue-options.ts';

/** Works that go in the order of the priorities between two that go by their age. */
const startsBetweenAged = 3;

const levelOf = { high: 0, normal: 1, low: 2 } as const satisfies Record<Priority, number>;

/** Which line a priority waits in. */
export function levelOfPriority(priority: Priority | undefined): number {
  return priority === undefined ? levelOf.normal : levelOf[priority];
}

/** The works that wait: one line a priority. */
export class WaitingWorks {
  readonly #lines = [new WorkLine(), new WorkLine(), new WorkLine()] as const;
  #sinceAged = 0;
  size = 0;
  /** Works that went before higher ones because of their age. */
  aged = 0;

  push(work: QueuedWork): void {
    work.state = 'waiting';
    this.#line(work.level).push(work);
    this.size++;
  }

  remove(work: QueuedWork): void {
    this.#line(work.level).remove(work);
    this.size--;
  }

  /**
   * Which one goes next: in the order of the priorities, but for each fourth work an older one of a lower priority that
   * came at `agedIfAddedAtMs` or before. So none waits for ever, and a backlog that has aged leaves the others three
   * quarters.
   */
  peek(agedIfAddedAtMs: number): QueuedWork | undefined {
    const inOrder = this.#firstInOrder();
    if (!inOrder || this.#sinceAged < startsBetweenAged) return inOrder;
    return this.#oldestUpTo(inOrder, agedIfAddedAtMs);
  }

  /** Takes out the one that goes to a worker. */
  take(work: QueuedWork): void {
    if (work === this.#firstInOrder()) this.#sinceAged++;
    else {
      this.#sinceAged = 0;
      this.aged++;
    }
    this.remove(work);
  }

  /** When the one that waits longest came. */
  oldestAddedAtMs(): number | undefined {
    let oldest: number | undefined;
    for (const { first } of this.#lines) {
      if (first && (oldest === undefined || first.addedAtMs < oldest)) oldest = first.addedAtMs;
    }
    return oldest;
  }

  /** Which one makes room for a work of that level; absent: none, it has to go itself. */
  victimFor(level: number, whenFull: WorkQueueSettings['whenFull']): QueuedWork | undefined {
    for (let lowest = this.#lines.length - 1; lowest >= level; lowest--) {
      const line = this.#line(lowest);
      if (line.size === 0) continue;
      if (whenFull === 'reject-oldest') return line.first;
      // of its own level it is the newest itself
      return lowest > level ? line.last : undefined;
    }
    return undefined;
  }

  /** Those that go when `count` are too many. */
  surplus(count: number, rule: DrainRule): QueuedWork[] {
    const surplus: QueuedWork[] = [];
    if (rule === 'keep') return surplus;
    for (let level = this.#lines.length - 1; level >= 0 && surplus.length < count; level--) {
      const works = [...this.#line(level)];
      if (rule === 'reject-newest') works.reverse();
      // stable, so that of equal ends the one that came first goes first
      if (rule === 'expired-first') works.sort((a, b) => compare(a.waitEndsAtMs, b.waitEndsAtMs));
      surplus.push(...works.slice(0, count - surplus.length));
    }
    return surplus;
  }

  *[Symbol.iterator](): Generator<QueuedWork> {
    for (const line of this.#lines) yield* line;
  }

  #firstInOrder(): QueuedWork | undefined {
    const [high, normal, low] = this.#lines;
    return high.first ?? normal.first ?? low.first;
  }

  /** The oldest of those that are lower, have aged, and came before it; itself when there is none. */
  #oldestUpTo(inOrder: QueuedWork, agedIfAddedAtMs: number): QueuedWork {
    let oldest = inOrder;
    for (let lower = inOrder.level + 1; lower < this.#lines.length; lower++) {
      const { first } = this.#line(lower);
      if (!first || first.addedAtMs > agedIfAddedAtMs) continue;
      if (first.addedAtMs < oldest.addedAtMs) oldest = first;
    }
    return oldest;
  }

  #line(level: number): WorkLine {
    return this.#lines[level] ?? this.#lines[levelOf.low];
  }
}

// Infinity - Infinity is no number
function compare(a: number, b: number): number {
  return a < b ? -1 : Number(a > b);
}
