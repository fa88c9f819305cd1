/** Messages that differ only in their variable parts. */
export interface Template {
  /** With `<*>` for each variable part. */
  readonly text: string;
  /** Indexes of the messages, in the order in which they came. */
  readonly members: readonly number[];
}

const WILDCARD = '<*>';
/** The rest of a long message is not compared. Loki stops at 80 tokens and leaves longer lines out; here they stay in. */
const MAX_TOKENS = 60;
/** Loki pkg/pattern/drain: 300 clusters a stream (2026-08-22). */
const MAX_TEMPLATES = 500;
/** Drain3 uses 0.4, Loki 0.3; stricter, since a merged error hides the new one. */
const SIMILARITY = 0.6;
/** So short a message has no variable part that masking leaves over: "connection refused" is not "connection reset". */
const EXACT_TOKENS = 3;

/** One pass over a token that holds a digit: identifiers, addresses, numbers with and without unit. */
const VARIABLE =
  /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|0x[0-9a-f]+|(?<![a-z])(?=[a-f]*\d)[0-9a-f]{8,}(?![a-z])|\d+(?:[.:,/-]\d+)*/gi;

interface Cluster {
  tokens: string[];
  readonly members: number[];
}

/**
 * Drain with masking (He et al. 2017): clusters by number of tokens and first token, joined when enough tokens agree.
 * Deterministic in the order of the messages. Beyond {@link MAX_TEMPLATES} the rest shares one template.
 */
export function mineTemplates(messages: readonly string[]): readonly Template[] {
  const groups = new Map<string, Cluster[]>();
  const clusters: Cluster[] = [];
  const overflow: Cluster = { tokens: [WILDCARD], members: [] };
  /** Most messages are equal to an earlier one once they are masked. */
  const sameText = new Map<string, Cluster>();
  messages.forEach((message, index) => {
    const tokens = tokensOf(message);
    const text = tokens.join(' ');
    const same = sameText.get(text);
    if (same) {
      same.members.push(index);
      return;
    }
    const key = `${tokens.length} ${tokens[0] ?? ''}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    const known = closest(group, tokens);
    if (known) {
      known.tokens = merge(known.tokens, tokens);
      known.members.push(index);
      sameText.set(text, known);
    } else if (clusters.length < MAX_TEMPLATES) {
      const cluster = { tokens, members: [index] };
      clusters.push(cluster);
      group.push(cluster);
      sameText.set(text, cluster);
    } else {
      overflow.members.push(index);
    }
  });
  return [...clusters, ...(overflow.members.length > 0 ? [overflow] : [])]
    .map(({ tokens, members }) => ({ text: tokens.join(' '), members }))
    .sort((a, b) => b.members.length - a.members.length || a.text.localeCompare(b.text));
}

/** Masking costs more than all the rest: only tokens with a digit are looked at. */
function tokensOf(message: string): string[] {
  const tokens = message.split(/\s+/, MAX_TOKENS + 1).filter((token) => token !== '');
  return tokens.slice(0, MAX_TOKENS).map(maskToken);
}

function maskToken(token: string): string {
  if (!/\d/.test(token)) return token;
  return /^\d+$/.test(token) ? WILDCARD : token.replace(VARIABLE, WILDCARD);
}

function closest(group: readonly Cluster[], tokens: readonly string[]): Cluster | undefined {
  let best: { cluster: Cluster; score: number } | undefined;
  for (const cluster of group) {
    const score = similarity(cluster.tokens, tokens);
    if (score >= leastSimilarity(tokens.length) && score > (best?.score ?? 0))
      best = { cluster, score };
  }
  return best?.cluster;
}

function leastSimilarity(length: number): number {
  return length <= EXACT_TOKENS ? 1 : SIMILARITY;
}

function similarity(template: readonly string[], tokens: readonly string[]): number {
  if (tokens.length === 0) return 1;
  const equal = tokens.filter((token, i) => template[i] === token || template[i] === WILDCARD);
  return equal.length / tokens.length;
}

function merge(template: readonly string[], tokens: readonly string[]): string[] {
  return template.map((token, i) => (token === tokens[i] ? token : WILDCARD));
}
