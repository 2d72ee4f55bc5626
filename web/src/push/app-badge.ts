/** The count on the icon of an installed app; browsers without one, and pages in a tab, have none. */
export function showBadge(count: number): void {
  const done = count === 0 ? navigator.clearAppBadge?.() : navigator.setAppBadge?.(count);
  done?.catch(() => undefined);
}
