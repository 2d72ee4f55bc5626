import type { ReactiveController, ReactiveControllerHost } from "lit";

const everyMs = 30_000;

/** Redraws its host now and then, so that "2 min" becomes "3 min". */
export class ClockController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#timer = setInterval(() => this.#host.requestUpdate(), everyMs);
  }

  hostDisconnected(): void {
    clearInterval(this.#timer);
  }
}
