import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { exactTime, relativeTime, type TocsinClient } from "../../core/index.ts";
import type { DeviceReport, PushDevice, PushState } from "../../push/index.ts";
import { problemText } from "../../push/refusal-words.ts";
import { ClientElement, ClockController } from "../client-element.ts";
import { FocusKeeper } from "../focus-keeper.ts";
import type { Language } from "../language.ts";
import { sharedPush } from "../push-devices.ts";
import { settings } from "../settings.styles.ts";
import { theme } from "../theme.ts";
import { styles } from "./push.styles.ts";
import { words } from "./push.words.ts";

/** How a test of the way to this device goes. */
type Test = "none" | "under way" | { readonly tookMs: number } | { readonly problem: string };

/**
 * @summary Explains push, turns it on and off on this device, and shows whether it works.
 *
 * It asks the browser's permission only when its button is pressed. It draws no frame: put it into a
 * card, a dialog or a settings page. With it on the page, notifications are taken back when their
 * alert was seen elsewhere, and the badge of an installed app is kept.
 *
 * @attr {string} worker Address of your service worker; default: the one the page has registered.
 * @csspart title What is the case, in a few words.
 * @csspart text What that means, below it.
 * @csspart button What can be done about it.
 * @fires {CustomEvent<PushState>} tocsin-push Something about push on this device has changed.
 */
export class TocsinPush extends ClientElement {
  static override styles = [theme, settings, styles];
  static override properties: PropertyDeclarations = {
    worker: {},
    state: { state: true },
    test: { state: true },
  };

  declare worker: string | undefined;
  declare protected state: PushState | null;
  declare protected test: Test;
  #push: PushDevice | null = null;

  constructor() {
    super();
    this.state = null;
    this.test = "none";
    new ClockController(this);
    new FocusKeeper(this, () =>
      (
        this.renderRoot.querySelector<HTMLElement>("button") ??
        this.renderRoot.querySelector<HTMLElement>("section")
      )?.focus(),
    );
  }

  protected override subscribe(client: TocsinClient): (() => void)[] {
    const push = sharedPush(client, { worker: this.worker });
    this.#push = push;
    this.state = push.state();
    return [push.subscribe((state) => this.#take(state))];
  }

  protected override render(): TemplateResult {
    const { state } = this;
    if (!state || state.standing === "checking")
      return html`<div class="bones" aria-busy="true"></div>`;
    const isFailing = state.standing === "on" && failsNow(state.report);
    const { say, repeat } = this.language;
    const { icon, tone, title, text } = words[isFailing ? "failing" : state.standing];
    return html`
      <section aria-labelledby="title" tabindex="-1">
      <div class="head" data-tone=${tone}>
        <span class="mark">${icon}</span>
        <div>
          <p part="title" class="title" id="title">${say(title)}</p>
          <p part="text" class="text">${say(text)}</p>
        </div>
      </div>
      ${state.standing === "on" ? this.#renderHealth(state.report) : nothing}
      ${state.problem ? html`<p class="problem" role="alert">${repeat(state.problem)}</p>` : nothing}
      ${this.#renderButtons(state)}
      <p class="said" role="status">${this.#said(state)}</p>
      </section>
    `;
  }

  #renderHealth(report: DeviceReport | null): TemplateResult {
    const { say, repeat } = this.language;
    const delivered = timeOf(report?.last_success_at);
    const failed = failsNow(report) ? timeOf(report?.last_failure_at) : null;
    return html`
      <dl>
        <div>
          <dt>${say("Last sent")}</dt>
          <dd>${delivered === null ? say("nothing yet") : when(delivered, this.language)}</dd>
        </div>
        ${
          failed !== null
            ? html`<div><dt>${say("Last failure")}</dt><dd>${when(failed, this.language)}</dd><dd class="why">${repeat(report?.last_failure ?? "")}</dd></div>`
            : nothing
        }
      </dl>
    `;
  }

  #renderButtons({ standing, isBusy }: PushState): TemplateResult | typeof nothing {
    const push = this.#push;
    const { say } = this.language;
    const isTesting = this.test === "under way";
    switch (standing) {
      case "off":
        return html`<div class="buttons">${button(say("Turn on"), () => push?.turnOn(), { isBusy, isPrimary: true })}</div>`;
      case "on":
        return html`<div class="buttons">
          ${button(say("Send a test"), () => this.#sendTest(), { isBusy: isBusy || isTesting })}
          ${button(say("Turn off"), () => push?.turnOff(), { isBusy })}
        </div>`;
      case "broken":
        return html`<div class="buttons">
          ${button(say("Try again"), () => push?.turnOn(), { isBusy })}
          ${button(say("Turn off"), () => push?.turnOff(), { isBusy })}
        </div>`;
      default:
        return nothing;
    }
  }

  /** A short line about what is under way, for eyes and screen readers. */
  #said({ standing, isBusy }: PushState): string {
    const { test } = this;
    const { say, repeat, tag } = this.language;
    if (isBusy) return standing === "off" ? say("Turning on …") : "";
    if (standing !== "on" || test === "none") return "";
    if (test === "under way") return say("The test is on its way …");
    if ("tookMs" in test)
      return say("The test arrived after {time}.", { time: seconds(test.tookMs, tag) });
    return say("The test did not arrive: {problem}", { problem: repeat(test.problem) });
  }

  async #sendTest(): Promise<void> {
    if (!this.#push) return;
    this.test = "under way";
    this.test = await this.#push.test().then(
      (tookMs) => ({ tookMs }),
      (error: Error) => ({ problem: problemText(error) }),
    );
  }

  #take(state: PushState): void {
    this.state = state;
    const event = new CustomEvent("tocsin-push", { detail: state, bubbles: true, composed: true });
    this.dispatchEvent(event);
  }
}

interface ButtonLook {
  readonly isBusy: boolean;
  readonly isPrimary?: boolean;
}

function button(
  label: string,
  press: () => void,
  { isBusy, isPrimary }: ButtonLook,
): TemplateResult {
  return html`<button
    part="button" class=${isPrimary ? "primary" : "secondary"} type="button"
    aria-disabled=${isBusy} @click=${isBusy ? nothing : press}
  >${label}</button>`;
}

function when(time: number, { tag }: Language): TemplateResult {
  return html`<time title=${exactTime(time, tag)}>${relativeTime(time, Date.now(), tag)}</time>`;
}

/** Whether a failure is the last that is known of it. */
function failsNow(report: DeviceReport | null): boolean {
  const [failed, delivered] = [timeOf(report?.last_failure_at), timeOf(report?.last_success_at)];
  return failed !== null && failed > (delivered ?? 0);
}

function timeOf(text: string | null | undefined): number | null {
  return text ? Date.parse(text) : null;
}

function seconds(ms: number, tag: string): string {
  const value = Math.max(0.1, ms / 1_000);
  return `${value.toLocaleString(tag, { maximumFractionDigits: 1 })} s`;
}
