/** Push in the browser, without elements: this browser as a device. */

export { actionEvent, notificationEvent, type OpenTarget, openInboxEvent } from "./opening.ts";
export {
  PushDevice,
  type PushOptions,
  type PushStanding,
  type PushState,
} from "./push-device.ts";
export type { DeviceReport } from "./registry.ts";
export { type PushSupport, pushSupport } from "./support.ts";
