/**
 * One way round a cycle, its first name repeated at the end; absent when the edges make none. Names come in the
 * order of the edges, so that the same edges always tell the same cycle.
 */
export function findCycle(
  edges: readonly (readonly [from: string, to: string])[],
): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) {
    const known = next.get(from);
    if (known) known.push(to);
    else next.set(from, [to]);
  }
  const done = new Set<string>();
  for (const start of next.keys()) {
    const cycle = walk(start, next, done);
    if (cycle) return cycle;
  }
  return undefined;
}

// A stack of its own: a thousand rules in a row must not overflow the call stack.
function walk(
  start: string,
  next: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
): string[] | undefined {
  const path: { name: string; tried: number }[] = [{ name: start, tried: 0 }];
  const onPath = new Set([start]);
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const to = next.get(top.name)?.[top.tried++];
    if (to === undefined) {
      path.pop();
      onPath.delete(top.name);
      done.add(top.name);
    } else if (onPath.has(to)) {
      const names = path.map(({ name }) => name);
      return [...names.slice(names.indexOf(to)), to];
    } else if (!done.has(to)) {
      path.push({ name: to, tried: 0 });
      onPath.add(to);
    }
  }
  return undefined;
}
