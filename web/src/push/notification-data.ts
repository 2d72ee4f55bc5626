/** What the worker keeps with a notification that it shows: for the press, and for pages that close it. */
export interface NotificationData {
  readonly tocsin: 1;
  /** The item's id in the inbox, which is also the tag. Null: none, for it is a test, or sums several up. */
  readonly id: string | null;
  readonly alert_id: string;
  /** Where a press leads; relative ones to the page. Null: nowhere, the inbox is shown. */
  readonly url: string | null;
  /** Where the buttons lead, by their ids; those without an address only tell that they were pressed. */
  readonly links: Readonly<Record<string, string>>;
  /** When it was shown, in milliseconds since 1970. */
  readonly at: number;
}

/** Read what was kept; null for a notification that is the app's own. */
export function readData(data: unknown): NotificationData | null {
  const { tocsin } = (data ?? {}) as { readonly tocsin?: unknown };
  return tocsin === 1 ? (data as NotificationData) : null;
}
