import { isMap, isScalar, isSeq, type Document, type LineCounter, type Node } from 'yaml';
import type { Position } from './playbook.ts';

/** Where every key and every value of a document stands, by its dotted path. */
export interface Positions {
  readonly values: Readonly<Record<string, Position>>;
  readonly keys: Readonly<Record<string, Position>>;
}

export function positionsOf(document: Document.Parsed, lines: LineCounter): Positions {
  const values: Record<string, Position> = {};
  const keys: Record<string, Position> = {};
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const visit = (node: Node | null, path: string): void => {
    if (node?.range) values[path] = at(node.range[0]);
    if (isMap<Node, Node | null>(node)) {
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : '?';
        const below = path === '' ? key : `${path}.${key}`;
        if (pair.key.range) keys[below] = at(pair.key.range[0]);
        visit(pair.value, below);
      }
    }
    if (isSeq<Node>(node)) {
      node.items.forEach((item, index) => {
        visit(item, `${path}.${index}`);
      });
    }
  };
  visit(document.contents, '');
  return { values, keys };
}

/** The position of a path, or of the nearest thing around it that stands in the file. */
export function positionAt(positions: Positions, path: string): Position {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('.'), 0))) {
    const found = positions.values[at] ?? positions.keys[at];
    if (found !== undefined) return found;
  }
  return positions.values[''] ?? { line: 1, column: 1 };
}
