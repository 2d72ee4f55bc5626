/** The keys of the inbox, as they are obeyed and as the map of them shows them. */

import type { Phrase } from "../language.ts";
import type { Act } from "./acts.ts";
import type { WayBack } from "./put-away.ts";

export type Command =
  | "next"
  | "previous"
  | "first"
  | "last"
  | "archive"
  | "delete"
  | "unread"
  | "snooze"
  | "older"
  | "undo"
  | "select"
  | "range"
  | "all"
  | "clear"
  | "help";

interface Binding {
  readonly command: Command;
  /** As `KeyboardEvent.key` has them; the first one is shown. */
  readonly keys: readonly string[];
  readonly phrase: Phrase;
}

/** In the order in which they are shown. Enter opens the row by itself: it is a link or a button. */
export const bindings: readonly Binding[] = [
  { command: "next", keys: ["j", "ArrowDown"], phrase: "Next alert" },
  { command: "previous", keys: ["k", "ArrowUp"], phrase: "Previous alert" },
  { command: "first", keys: ["Home"], phrase: "First alert" },
  { command: "last", keys: ["End"], phrase: "Last alert" },
  { command: "archive", keys: ["e"], phrase: "Archive" },
  { command: "delete", keys: ["#", "Delete"], phrase: "Delete" },
  { command: "unread", keys: ["u"], phrase: "Read or unread" },
  { command: "snooze", keys: ["h"], phrase: "Snooze" },
  { command: "older", keys: ["U"], phrase: "Mark this and all older as read" },
  { command: "undo", keys: ["z"], phrase: "Undo" },
  { command: "select", keys: ["x"], phrase: "Select" },
  { command: "range", keys: ["X"], phrase: "Select up to here" },
  { command: "all", keys: ["*"], phrase: "Select all" },
  { command: "clear", keys: ["Escape"], phrase: "Clear the selection" },
  { command: "help", keys: ["?"], phrase: "Keyboard shortcuts" },
];

const commands = new Map(
  bindings.flatMap(({ command, keys }) => keys.map((key) => [key, command] as const)),
);

/** What the pressed key asks for; null if nothing, or with a key held that makes it the browser's. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return commands.get(event.key) ?? null;
}

/** How the key of a command is written: `E`, `Shift+X`, `Home`. */
export function keyOf(command: Command): string {
  const key = bindings.find((binding) => binding.command === command)?.keys[0] ?? "";
  if (key.length > 1) return key;
  return key === key.toLowerCase() ? key.toUpperCase() : `Shift+${key}`;
}

/** Which of `count` rows a key leads to from the one at `index`; null for other keys. */
export function goesTo(command: Command, index: number, count: number): number | null {
  if (command === "next") return Math.min(index + 1, count - 1);
  if (command === "previous") return Math.max(index - 1, 0);
  if (command === "first") return 0;
  return command === "last" ? count - 1 : null;
}

/** What a key does to a row at once; null for other keys. */
export function actOf(command: Command, isRead: boolean, wayBack?: WayBack): Act | null {
  if (command === "archive") return wayBack ?? "archive";
  if (command === "unread") return isRead ? "unread" : "read";
  return command === "delete" ? "delete" : null;
}
