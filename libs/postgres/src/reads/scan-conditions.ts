/** The columns of one table that a condition compares, each once, in the order of the condition. */
export interface ScanConditions {
  /** Compared for equality. */
  readonly equal: readonly string[];
  /** Compared for less or more. */
  readonly range: readonly string[];
}

const IDENTIFIER = String.raw`"(?:[^"]|"")+"|[a-z_][\w$]*`;
/** column, table.column, (column)::type: against a parameter, a constant, or a list of them. */
const COMPARISON = new RegExp(
  String.raw`^\(?(?:(?:${IDENTIFIER})\.)*(${IDENTIFIER})\)?(?:::[\w ]+(?:\(\d+\))?)?\s*(=|<=|>=|<|>|\bin\b|\bbetween\b)\s*(.+)$`,
  'i',
);
const RANGE = new Set(['<', '>', '<=', '>=', 'between']);

/**
 * Out of a condition as EXPLAIN or a statement writes it. Only what is joined by AND counts: any OR, and an index on these
 * columns would not serve it. What compares expressions, patterns or other columns is left out.
 */
export function scanConditions(condition: string): ScanConditions {
  const parts = conjunctsOf(condition);
  if (parts === undefined) return { equal: [], range: [] };
  const equal = new Set<string>();
  const range = new Set<string>();
  for (const part of parts) {
    const [, column, operator, other] = COMPARISON.exec(part) ?? [];
    if (column === undefined || operator === undefined || other === undefined) continue;
    if (!comparesWithValue(other)) continue;
    (RANGE.has(operator.toLowerCase()) ? range : equal).add(unquoted(column));
  }
  return { equal: [...equal], range: [...range].filter((column) => !equal.has(column)) };
}

/** A parameter, a constant, a cast of one, or a list of them; not another column. */
function comparesWithValue(other: string): boolean {
  return /^\(?\s*(\$\d+|'|\d|any\s*\(|\?)/i.test(other);
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"')
    ? identifier.slice(1, -1).replaceAll('""', '"')
    : identifier.toLowerCase();
}

/** The parts that AND joins; absent: there is an OR, or a nested SELECT. */
function conjunctsOf(condition: string): string[] | undefined {
  const inner = withoutOuterParentheses(condition.trim());
  if (/\bor\b/i.test(inner) || /\bselect\b/i.test(inner)) return undefined;
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  // The AND of BETWEEN … AND joins nothing.
  let isBetween = false;
  for (const { 0: token, index } of inner.matchAll(/[()]|\bbetween\b|\band\b/gi)) {
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (depth > 0) continue;
    else if (/between/i.test(token)) isBetween = true;
    else if (isBetween) isBetween = false;
    else {
      parts.push(inner.slice(from, index));
      from = index + token.length;
    }
  }
  parts.push(inner.slice(from));
  return parts.map((part) => withoutOuterParentheses(part.trim()));
}

function withoutOuterParentheses(text: string): string {
  if (!text.startsWith('(') || closingOf(text) !== text.length - 1) return text;
  return withoutOuterParentheses(text.slice(1, -1).trim());
}

function closingOf(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}
