/** The browser's subscription, kept to the server's key. */

/** A push service that does not answer leaves the browser waiting for ever. */
const subscribeWithinMs = 30_000;

/** A subscription could not be had; `reason` is for people. */
export class SubscribeError extends Error {
  override readonly name = "SubscribeError";
}

/**
 * The subscription under this key. One under another key is given up first: the server that held it
 * has rotated its keys, and browsers refuse two.
 *
 * @throws SubscribeError When the push service of the browser cannot be reached.
 */
export async function subscribed(
  manager: Pick<PushManager, "getSubscription" | "subscribe">,
  publicKey: string,
): Promise<PushSubscription> {
  const current = await manager.getSubscription();
  if (current && keyOf(current) === publicKey) return current;
  await current?.unsubscribe();
  const asking = manager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  return withDeadline(asking).catch((error: unknown) => {
    throw new SubscribeError("The push service of this browser cannot be reached.", {
      cause: error,
    });
  });
}

/** The public key that a subscription belongs to, as the server writes it. */
export function keyOf({ options }: PushSubscription): string | null {
  const key = options.applicationServerKey;
  if (!key) return null;
  const text = btoa(String.fromCharCode(...new Uint8Array(key)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function withDeadline<Value>(work: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), subscribeWithinMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
