/** What this browser can do at all, before anybody is asked. */

/**
 * `install`: an iPhone or iPad, which pushes only to apps on its Home Screen.
 * `insecure`: the page came by plain http, where browsers offer neither workers nor push.
 */
export type PushSupport = "yes" | "no" | "install" | "insecure";

export function pushSupport(): PushSupport {
  if (!isSecureContext) return "insecure";
  const complete =
    "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
  if (complete) return "yes";
  return isApplePhone() && !isStandalone() ? "install" : "no";
}

/** An iPad says it is a Macintosh; no Macintosh has a screen to touch. */
function isApplePhone(): boolean {
  const { userAgent, maxTouchPoints } = navigator;
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}

function isStandalone(): boolean {
  return matchMedia("(display-mode: standalone), (display-mode: fullscreen)").matches;
}
