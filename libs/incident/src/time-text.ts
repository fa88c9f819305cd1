const DAY_MS = 86_400_000;

/** 03:05:02, with the date in front when it is a day or more before `now`. */
export function momentText(at: Date, now: Date): string {
  const clock = at.toISOString().slice(11, 19);
  return now.getTime() - at.getTime() >= DAY_MS
    ? `${at.toISOString().slice(5, 10)} ${clock}`
    : clock;
}

/** `03:12:08 UTC (04:12 CET)`; `timeZone`: an IANA name, absent or UTC: without the local time. */
export function zonedText(at: Date, timeZone?: string): string {
  const utc = `${at.toISOString().slice(11, 19)} UTC`;
  if (timeZone === undefined || timeZone === 'UTC') return utc;
  const local = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).format(at);
  return `${utc} (${local})`;
}
