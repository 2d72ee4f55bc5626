/** For how long an alert may be put off. */

import type { Phrase } from "../language.ts";

export interface SnoozeTime {
  readonly phrase: Phrase;
  /** In milliseconds since 1970. */
  readonly at: number;
}

const hourMs = 3_600_000;
const morning = 9;
const evening = 18;
/** Before this hour the evening is worth offering. */
const lateFrom = 16;
const monday = 1;

/** What to offer at `now`, soonest first; days begin where the person is. */
export function snoozeTimes(now: number): SnoozeTime[] {
  const daysOn = (days: number, hour: number) => {
    const day = new Date(now);
    day.setDate(day.getDate() + days);
    return day.setHours(hour, 0, 0, 0);
  };
  const today = new Date(now);
  // From Sunday on, tomorrow is Monday already: the next week is the one after.
  const toMonday = (monday + 7 - today.getDay()) % 7 || 7;
  const nextWeek = toMonday === 1 ? 8 : toMonday;
  return [
    { phrase: "In an hour", at: now + hourMs },
    ...(today.getHours() < lateFrom
      ? [{ phrase: "This evening", at: daysOn(0, evening) } as const]
      : []),
    { phrase: "Tomorrow", at: daysOn(1, morning) },
    { phrase: "Next week", at: daysOn(nextWeek, morning) },
  ];
}
