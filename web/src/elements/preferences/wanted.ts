/** What a person wants to be pushed, as `GET /v1/preferences` tells it, and how one wish changes it. */

import type { Severity } from "../../core/index.ts";

export interface Choice {
  readonly enabled?: boolean;
  readonly min_severity?: Severity;
}

export const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof days)[number];

/** Times are `HH:MM`; one that ends before it begins ends on the next day. */
export interface QuietWindow {
  readonly from: string;
  readonly to: string;
  /** On which it begins; all if left out. */
  readonly days?: readonly Day[];
}

/** Without a zone it is that of each device. */
export interface QuietHours {
  readonly windows?: readonly QuietWindow[];
  readonly zone?: string;
}

interface Mute {
  readonly category?: string;
  readonly until?: string;
}

type Choices = { readonly push?: Choice };

interface Said {
  readonly channels?: Choices;
  readonly categories?: Readonly<Record<string, Choices>>;
  readonly quiet_hours?: QuietHours;
}

export interface Preferences extends Said {
  readonly mutes?: readonly Mute[];
}

/** What this person said, and what the hub says where nothing was said. */
export interface Rules {
  readonly preferences: Preferences;
  readonly hub: Said & { readonly critical_exempt?: boolean };
}

/** From which severity on; `default` leaves it to whoever is asked next. */
export type Level = "default" | "off" | Severity;

/** One category, or all of them. */
export type Category = string | null;

export function levelOf({ preferences }: Rules, category: Category): Level {
  const choice = choicesOf(preferences, category)?.push;
  if (choice?.enabled === false) return "off";
  return choice?.min_severity ?? (choice?.enabled ? "info" : "default");
}

/** What holds where this person says nothing of it: what they say of all, then what the hub says. */
export function defaultLevel({ preferences, hub }: Rules, category: Category): Level {
  const asked = [
    category === null ? undefined : preferences.channels,
    category === null ? undefined : choicesOf(hub, category),
    hub.channels,
  ].map((choices) => choices?.push);
  const enabled = asked.find((choice) => choice?.enabled !== undefined)?.enabled;
  if (enabled === false) return "off";
  return asked.find((choice) => choice?.min_severity)?.min_severity ?? "info";
}

export function withLevel(mine: Preferences, category: Category, level: Level): Preferences {
  const push = level === "off" ? { enabled: false } : { enabled: true, min_severity: level };
  const choices = level === "default" ? {} : { push: push as Choice };
  if (category === null) return { ...mine, channels: choices };
  const { [category]: _, ...others } = mine.categories ?? {};
  const categories = level === "default" ? others : { ...others, [category]: choices };
  return { ...mine, categories };
}

/** The time until which a category is muted, null for ever; undefined if it is not. */
export function mutedUntil(
  { preferences }: Rules,
  category: Category,
  now: number,
): number | null | undefined {
  const mute = preferences.mutes?.find((one) => isOf(one, category) && !isOver(one, now));
  return mute && (mute.until ? Date.parse(mute.until) : null);
}

/** Mute until a time, for ever (null), or no more (undefined); mutes that are over go. */
export function withMute(
  mine: Preferences,
  category: Category,
  until: number | null | undefined,
  now: number,
): Preferences {
  const others = (mine.mutes ?? []).filter((one) => !isOf(one, category) && !isOver(one, now));
  const mute: Mute = {
    ...(category !== null && { category }),
    ...(until && { until: new Date(until).toISOString() }),
  };
  return { ...mine, mutes: until === undefined ? others : [...others, mute] };
}

export function withQuietHours(mine: Preferences, quiet: QuietHours | undefined): Preferences {
  const { quiet_hours: _, ...others } = mine;
  return quiet ? { ...others, quiet_hours: quiet } : others;
}

/** All categories that anybody said something of, and those that alerts have had. */
export function categoriesOf(
  { preferences, hub }: Rules,
  seen: readonly (string | undefined)[],
): string[] {
  const said = [preferences, hub].flatMap(({ categories }) => Object.keys(categories ?? {}));
  const muted = (preferences.mutes ?? []).map(({ category }) => category);
  const named = [...said, ...muted, ...seen].filter((name) => name !== undefined);
  return [...new Set(named)].sort((one, other) => one.localeCompare(other));
}

function choicesOf(said: Said, category: Category): Choices | undefined {
  return category === null ? said.channels : said.categories?.[category];
}

function isOf(mute: Mute, category: Category): boolean {
  return (mute.category ?? null) === category;
}

function isOver({ until }: Mute, now: number): boolean {
  return until !== undefined && Date.parse(until) <= now;
}
