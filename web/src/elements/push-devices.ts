/** One push device per client of a page, however many elements show it. */

import type { TocsinClient } from "../core/index.ts";
import { PushDevice, type PushOptions } from "../push/index.ts";

const devices = new WeakMap<TocsinClient, PushDevice>();

/** The started push device of this client; the options of the first one who asks hold. */
export function sharedPush(client: TocsinClient, options: PushOptions): PushDevice {
  const known = devices.get(client);
  if (known) return known;
  const device = new PushDevice(client, options);
  devices.set(client, device);
  device.start();
  return device;
}
