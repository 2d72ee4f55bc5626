/** For an app's own worker that is a module, or bundled: `servePush()` at its top level. */

import { PushWorker, type PushWorkerOptions } from "./push-worker.ts";
import type { WorkerScope } from "./scope.ts";

export type { PushWorkerOptions } from "./push-worker.ts";

/** Serve pushes in this service worker. Call it while its script runs for the first time. */
export function servePush(options: PushWorkerOptions = {}): void {
  new PushWorker(globalThis as unknown as WorkerScope, options).listen();
}
