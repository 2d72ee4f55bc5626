/** Tells how the inbox looks, how well it is known, and how the line is. */

import type { ClientEvents, InboxView } from "./client-events.ts";
import type { Emitter } from "./emitter.ts";
import { type InboxStatus, inboxStatus, type LineState } from "./inbox-status.ts";
import type { View } from "./machine.ts";
import type { SocketStatus } from "./socket.ts";

/** What is told of, as it is at the moment. */
interface Source {
  readonly view: () => View;
  readonly line: () => LineState;
}

export class Telling {
  /** This person signed out: whatever is known is theirs no more. */
  isSignedOut = false;
  readonly #events: Emitter<ClientEvents>;
  readonly #source: Source;
  #view: InboxView;
  #status: SocketStatus = "closed";
  #isUnderWay = false;
  #wasHeard = false;

  constructor(events: Emitter<ClientEvents>, source: Source) {
    this.#events = events;
    this.#source = source;
    this.#view = { ...source.view(), status: "starting" };
  }

  /** What was told last; the same object until it changes. */
  get view(): InboxView {
    return this.#view;
  }

  /** One new view for everything that happens in this task. */
  tellLater(): void {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    queueMicrotask(() => {
      this.#isUnderWay = false;
      const view = this.#source.view();
      this.#view = { ...view, status: this.#inboxStatus(view) };
      this.#events.emit("view", this.#view);
    });
  }

  /** The line is another, or of another tab. */
  tellLine(): void {
    const { socket } = this.#source.line();
    this.tellLater();
    if (socket === this.#status) return;
    this.#status = socket;
    if (socket === "online") this.#wasHeard = true;
    this.#events.emit("status", socket);
  }

  #inboxStatus({ position }: View): InboxStatus {
    if (this.isSignedOut) return "signed-out";
    return inboxStatus(this.#source.line(), position !== null, this.#wasHeard);
  }
}
