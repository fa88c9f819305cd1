import type { QueuedWork } from './queued-work.ts';

/** Works in the order of their coming. Any of them leaves in the same short time, since the links are in the works. */
export class WorkLine {
  first: QueuedWork | undefined = undefined;
  last: QueuedWork | undefined = undefined;
  size = 0;

  push(work: QueuedWork): void {
    work.previous = this.last;
    work.next = undefined;
    if (this.last) this.last.next = work;
    else this.first = work;
    this.last = work;
    this.size++;
  }

  /** The work must be in this line. */
  remove(work: QueuedWork): void {
    if (work.previous) work.previous.next = work.next;
    else this.first = work.next;
    if (work.next) work.next.previous = work.previous;
    else this.last = work.previous;
    work.previous = undefined;
    work.next = undefined;
    this.size--;
  }

  *[Symbol.iterator](): Generator<QueuedWork> {
    let work = this.first;
    while (work) {
      // it may be taken out while somebody looks at it
      const { next } = work;
      yield work;
      work = next;
    }
  }
}
