/** Which items stand before somebody's eyes in an open inbox: those need no toast. */

/** An inbox of the page has drawn its rows anew; it bubbles, and leaves shadow roots. */
export const drawnEvent = "tocsin-drawn";

/**
 * Whether an inbox of this page shows the item just now, not scrolled or covered away.
 *
 * Those that count are the one in a bell, which somebody opened, and those that are not `passive`: what
 * a passive one shows nobody need have looked at.
 */
export function isOnScreen(id: string): boolean {
  const bells = [...document.querySelectorAll("tocsin-bell")];
  const opened = bells.map(({ shadowRoot }) => shadowRoot?.querySelector("tocsin-inbox"));
  const inboxes = [...document.querySelectorAll("tocsin-inbox:not([passive])"), ...opened];
  return inboxes.some((inbox) => inbox?.shadowRoot && shows(inbox.shadowRoot, id));
}

function shows(inbox: ShadowRoot, id: string): boolean {
  const rows = [...inbox.querySelectorAll("li")];
  const row = rows.find(({ dataset }) => Object.values(dataset).includes(id));
  if (!row) return false;
  const { left, top, width, height } = row.getBoundingClientRect();
  return row.contains(inbox.elementFromPoint(left + width / 2, top + height / 2));
}
