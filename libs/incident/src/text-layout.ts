/** What a piece of a report is, for those who colour it. */
export type TextRole = 'critical' | 'warning' | 'fine' | 'heading' | 'dim' | 'command';

/** Gets a role and a text, returns the text as it shall be shown. Must not change its width. */
export type Style = (role: TextRole, text: string) => string;

export const plainStyle: Style = (_role, text) => text;

/**
 * Text that somebody else chose (an application_name, a log line) may hold escape sequences that rewrite a terminal,
 * or marks that turn its order around. Every one of them becomes a visible replacement.
 */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD').toWellFormed();
}

/** Three spaces at which no line breaks, between columns of one line. */
export const GAP = '\u00A0\u00A0\u00A0';

/** Words into lines of at most `width`; a word that is longer stands alone and goes beyond. Never empty. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').filter((one) => one !== '')) {
    if (line === '') line = word;
    else if (widthOf(line) + 1 + widthOf(word) <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].map((one) => one.replaceAll('\u00A0', ' '));
}

/** A command of a shell into lines that can be pasted: broken between words outside of quotes, with ` \`. */
export function wrapCommand(command: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of wordsOf(command)) {
    if (line === '') line = word;
    else if (widthOf(line) + widthOf(word) + 3 <= width) line += ` ${word}`;
    else {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    }
  }
  return [...lines, line];
}

/** `label` in a column of its own, the text beside it, wrapped under itself. */
export function labelled(
  label: string,
  text: string,
  { indent, column, width }: { indent: number; column: number; width: number },
): readonly string[] {
  const room = Math.max(width - column, 20);
  return wrapText(text, room).map((line, index) => {
    const start = index === 0 ? `${' '.repeat(indent)}${label}` : '';
    // A label as wide as its column still stands apart from the text.
    const gap = label !== '' && widthOf(start) >= column ? `${start} ` : pad(start, column);
    return `${gap}${line}`;
  });
}

/** Left and right at the two ends of a line; under each other where they do not fit. */
export function bothEnds(left: string, right: string, width: number): readonly string[] {
  if (right === '') return [left];
  const gap = width - widthOf(left) - widthOf(right);
  if (gap >= 2) return [`${left}${' '.repeat(gap)}${right}`];
  return [left, `${' '.repeat(Math.max(width - widthOf(right), 0))}${right}`];
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - widthOf(text), 0));
}

function widthOf(text: string): number {
  return Array.from(text).length;
}

function wordsOf(command: string): readonly string[] {
  return command.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [command];
}
