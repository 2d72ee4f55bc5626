/** Reports what one live device receives and reads, so that the journey can show it. */

import type { TocsinClient } from "../src/elements/index.ts";
import { tell } from "./news.ts";

export function reportFrom(device: string, client: TocsinClient): void {
  const unread = new Set<string>();
  client.on("arrived", (items) => {
    for (const { alert_id } of items) {
      unread.add(alert_id);
      tell({ alertId: alert_id, what: "received", device, at: Date.now() });
    }
  });
  client.subscribe((view) => {
    for (const { alert_id, read } of view.items) {
      if (read && unread.delete(alert_id)) {
        tell({ alertId: alert_id, what: "read", device, at: Date.now() });
      }
    }
  });
}
