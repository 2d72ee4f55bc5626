/** Waiting for what comes by itself, however busy the machine is. */

import { vi } from "vitest";

/** Wait until `holds` throws no more. */
export function soon(holds: () => void): Promise<void> {
  return vi.waitFor(holds, { timeout: 30_000 });
}
