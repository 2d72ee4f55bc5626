/** A WebSocket that a test opens, feeds and breaks by hand. */

export class FakeSocket {
  static made: FakeSocket[] = [];
  readonly sent: Record<string, unknown>[] = [];
  readonly url: string;
  readonly protocol: string;
  readyState = 0;
  closedWith: number | undefined;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor(url: string, protocol: string) {
    this.url = url;
    this.protocol = protocol;
    FakeSocket.made.push(this);
  }

  static get last(): FakeSocket {
    const last = FakeSocket.made.at(-1);
    if (!last) throw new Error("no socket was made");
    return last;
  }

  /** Use as the platform's class. */
  static asPlatform(): typeof WebSocket {
    FakeSocket.made = [];
    return FakeSocket as unknown as typeof WebSocket;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code: number): void {
    this.closedWith = code;
    this.readyState = 3;
  }

  /** The server accepts, and says which connection this is. */
  accept(connectionId: string): void {
    this.upgrade();
    this.say({ type: "system", event: "connected", connectionId, reconnectionToken: "t1" });
  }

  upgrade(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }

  /** A message from the server with a number. */
  data(sequenceId: number, data: unknown): void {
    this.say({ type: "message", from: "server", sequenceId, dataType: "json", data });
  }

  breaks(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}
