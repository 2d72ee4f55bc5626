/**
 * Where a snapshot outlives the page; src/browser has the one of browsers.
 *
 * Several tabs may keep the same inbox, so a write names the position it expects to replace.
 */

import type { Snapshot } from "./machine.ts";
import type { Position } from "./protocol.ts";

export interface SnapshotStore {
  read(key: string): Promise<Snapshot | null>;
  /**
   * Write the snapshot if the stored position is still `expected` (null: nothing stored).
   *
   * @returns Null when written; else what another tab has stored, and nothing was written.
   */
  write(key: string, snapshot: Snapshot, expected: Position | null): Promise<Snapshot | null>;
  /** Forget what is stored of this inbox. */
  remove(key: string): Promise<void>;
}
