const MASK = '***';

/** One pass, cheapest first; each alternative is a shape that carries secrets or persons. */
const SECRETS = new RegExp(
  [
    String.raw`(?<=\b(?:password|passwd|pwd|secret|token|api[-_]?key|authorization|bearer|cookie)["']?\s*[=:]\s*["']?(?:bearer\s+|basic\s+)?)[^\s"',;&]+`,
    String.raw`(?<=\bbearer\s+)[\w.~+/-]{8,}=*`,
    String.raw`(?<=:\/\/[^\s:/@]{0,64}:)[^\s@/]+(?=@)`,
    String.raw`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`,
    String.raw`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`,
    String.raw`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`,
    String.raw`[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+`,
    String.raw`\b(?:\d[ -]?){13,19}\b`,
  ].join('|'),
  'gi',
);

/** Free text (log lines, error messages) without secrets and personal data. Idempotent. */
export function maskText(text: string): string {
  return text.replace(SECRETS, MASK);
}

/** E'…' escapes with a backslash; others only where the server says so, hence all the rest goes when it is not sure. */
const SQL_STRINGS =
  /\b[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|(?:\b[bBxXnN])?'(?:[^'\\]|''|\\[^'])*(?:'|\\'[\s\S]*$|$)/g;

/** SQL with every literal as `?`: strings, dollar quotes, numbers; comments are dropped. */
export function maskSql(sql: string): string {
  return sql
    .replace(/\/\*[\s\S]*?(?:\*\/|$)|--[^\n]*/g, ' ')
    .replace(/\$([A-Za-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)/g, '?')
    .replace(SQL_STRINGS, '?')
    .replace(/(?<![\w$.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)/gi, '?')
    .replace(/\(\s*\?(?:\s*,\s*\?)+\s*\)/g, '(?)')
    .replace(/\s+/g, ' ')
    .trim();
}
