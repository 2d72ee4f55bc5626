/** Times as people say them, in the language of the page. */

const minuteMs = 60_000;
const hourMs = 3_600_000;
const formats = new Map<string, object>();

/** "now", "2 min", "3 h", "yesterday 14:05", "Mon 14:05", "12 Mar", "12 Mar 2025". */
export function relativeTime(time: number, now: number, locale?: string): string {
  const age = now - time;
  if (age < minuteMs) return format({ numeric: "auto" }, 0, "second", locale);
  if (age < hourMs) return unit(Math.floor(age / minuteMs), "minute", locale);
  const days = daysBetween(time, now);
  if (days === 0) return unit(Math.floor(age / hourMs), "hour", locale);
  const clock = kept(Intl.DateTimeFormat, locale, { hour: "numeric", minute: "2-digit" });
  if (days === 1) return `${format({ numeric: "auto" }, -1, "day", locale)} ${clock.format(time)}`;
  if (days < 7)
    return dated(time, locale, { weekday: "short", hour: "numeric", minute: "2-digit" });
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return dated(time, locale, {
    day: "numeric",
    month: "short",
    ...(!sameYear && { year: "numeric" }),
  });
}

/** "14:05" today, else with its date: when something was true last. */
export function clockTime(time: number, now: number, locale?: string): string {
  const clock = { hour: "numeric", minute: "2-digit" } as const;
  const day = { day: "numeric", month: "short" } as const;
  return dated(time, locale, daysBetween(time, now) === 0 ? clock : { ...day, ...clock });
}

/** The exact time, for who hovers or needs to know. */
export function exactTime(time: number, locale?: string): string {
  return dated(time, locale, { dateStyle: "full", timeStyle: "medium" });
}

function daysBetween(time: number, now: number): number {
  const midnight = (ms: number) => new Date(ms).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(time)) / (24 * hourMs));
}

function unit(value: number, name: "minute" | "hour", locale?: string): string {
  return kept(Intl.NumberFormat, locale, { style: "unit", unit: name, unitDisplay: "short" })
    .format(value)
    .replace(/\bhr\b/, "h");
}

function format(
  options: Intl.RelativeTimeFormatOptions,
  value: number,
  name: Intl.RelativeTimeFormatUnit,
  locale?: string,
): string {
  return kept(Intl.RelativeTimeFormat, locale, options).format(value, name);
}

function dated(
  time: number,
  locale: string | undefined,
  options: Intl.DateTimeFormatOptions,
): string {
  return kept(Intl.DateTimeFormat, locale, options).format(time);
}

/** Making a format costs a thousand times what using it does, and lists use a handful for every row. */
function kept<Format extends object, Options>(
  Kind: new (locale: string | undefined, options: Options) => Format,
  locale: string | undefined,
  options: Options,
): Format {
  const key = JSON.stringify([Kind.name, locale, options]);
  const format = (formats.get(key) as Format | undefined) ?? new Kind(locale, options);
  formats.set(key, format);
  return format;
}
