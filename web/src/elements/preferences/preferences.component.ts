import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { clockTime, type Severity, type TocsinClient } from "../../core/index.ts";
import { ClientElement } from "../client-element.ts";
import { FocusKeeper } from "../focus-keeper.ts";
import { close } from "../icons.ts";
import type { Language, Phrase } from "../language.ts";
import { settings } from "../settings.styles.ts";
import { iconButton, theme } from "../theme.ts";
import { type Change, Keeper } from "./keeper.ts";
import { styles } from "./preferences.styles.ts";
import {
  type Category,
  categoriesOf,
  type Day,
  days,
  defaultLevel,
  type Level,
  levelOf,
  mutedUntil,
  type QuietHours,
  type QuietWindow,
  type Rules,
  withLevel,
  withMute,
  withQuietHours,
} from "./wanted.ts";

const levels: Readonly<Record<Exclude<Level, "default">, Phrase>> = {
  info: "All",
  success: "Success and above",
  warning: "Warning and above",
  error: "Error and above",
  critical: "Only critical",
  off: "Off",
};
const night: QuietWindow = { from: "22:00", to: "07:00" };
/** So many the server takes. */
const mostWindows = 14;
const hourMs = 3_600_000;
/** A Monday: the week of the weekdays' names. */
const mondayMs = Date.UTC(2024, 0, 1);

interface Option {
  readonly value: string;
  readonly label: string;
}

/**
 * @summary Which alerts a person gets pushed, by category; mutes; and quiet hours.
 *
 * It shows what holds where the person said nothing. A change shows and is saved at once; one that the
 * server refuses is taken back, and says so. Controls are the browser's own. It draws no frame.
 *
 * @attr {string} categories Categories to offer, with commas between; those that somebody said
 *   something of, and those of alerts in the inbox, are offered anyway.
 * @csspart heading The headings: what is pushed, and quiet hours.
 * @csspart row What can be chosen for one category, or for the quiet hours.
 * @csspart choice A list to choose from.
 * @csspart window From when to when it is quiet, and on which days.
 * @csspart button "Add hours", and "Try again".
 */
export class TocsinPreferences extends ClientElement {
  static override styles = [theme, iconButton, settings, styles];
  static override properties: PropertyDeclarations = { categories: {} };

  declare categories: string | undefined;
  #keeper: Keeper | null = null;
  /** Another device may have changed them meanwhile. */
  readonly #readOnReturn = () => {
    if (document.visibilityState === "visible") void this.#keeper?.read();
  };

  constructor() {
    super();
    new FocusKeeper(this, (gone) => this.#goOn(gone));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#readOnReturn);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#readOnReturn);
  }

  protected override subscribe(client: TocsinClient): (() => void)[] {
    const keeper = new Keeper(client, () => this.requestUpdate());
    this.#keeper = keeper;
    const read = () => void keeper.read();
    const readAgain = () => client.status === "online" && read();
    read();
    return [client.on("preferences", read), client.on("status", readAgain)];
  }

  protected override render(): TemplateResult {
    const { say, repeat } = this.language;
    const { rules = null, problem = null, standing } = this.#keeper ?? {};
    const told = problem && repeat(problem);
    if (rules) return this.#renderForm(rules, told, standing === "kept" && !problem);
    if (!told) return html`<div class="bones" aria-busy="true"></div>`;
    const retry = () => void this.#keeper?.read();
    return html`<p class="problem" role="alert">${told}</p><button part="button" class="secondary" type="button" @click=${retry}>${say("Try again")}</button>`;
  }

  #renderForm(rules: Rules, problem: string | null, isSaved: boolean): TemplateResult {
    const { say } = this.language;
    return html`
      <fieldset>
        <legend part="heading">${say("Which alerts are pushed")}</legend>
        ${this.#renderCategory(rules, null)}
        ${this.#offered(rules).map((name) => this.#renderCategory(rules, name))}
        ${rules.hub.critical_exempt ? html`<p class="note">${say("Critical alerts come through mutes and quiet hours.")}</p>` : nothing}
      </fieldset>
      <fieldset>
        <legend part="heading">${say("Quiet hours")}</legend>
        ${this.#renderQuiet(rules)}
      </fieldset>
      ${problem ? html`<p class="problem" role="alert" dir="auto">${say("Not saved: {problem}", { problem })}</p>` : nothing}
      <p class="note" role="status">${isSaved ? say("Saved") : ""}</p>
    `;
  }

  #offered(rules: Rules): string[] {
    const named = this.categories?.split(",").map((name) => name.trim()) ?? [];
    const had = this.view?.items.map(({ alert }) => alert.category) ?? [];
    return categoriesOf(rules, [...named, ...had]);
  }

  #renderCategory(rules: Rules, category: Category): TemplateResult {
    const { say } = this.language;
    const what = category ?? say("All alerts");
    const fallback = say(levels[defaultLevel(rules, category) as Severity]);
    const options = Object.entries(levels).map(([value, label]) => ({ value, label: say(label) }));
    const chosen = (level: string) =>
      this.#change((mine) => withLevel(mine, category, level as Level));
    return html`
      <div part="row" class="row">
        <span class="what"><bdi>${what}</bdi></span>
        ${select(
          say("Push: {what}", { what }),
          [{ value: "default", label: say("Default: {what}", { what: fallback }) }, ...options],
          levelOf(rules, category),
          chosen,
        )}
        ${this.#renderMute(rules, category, what)}
      </div>
    `;
  }

  #renderMute(rules: Rules, category: Category, what: string): TemplateResult {
    const { say, tag } = this.language;
    const now = Date.now();
    const until = mutedUntil(rules, category, now);
    const tomorrow = new Date(now + 24 * hourMs).setHours(8, 0, 0, 0);
    const ends: Record<string, number | null | undefined> = {
      no: undefined,
      hour: now + hourMs,
      tomorrow,
      week: now + 7 * 24 * hourMs,
      ever: null,
    };
    const options = [
      { value: "no", label: say("Not muted") },
      { value: "hour", label: say("For an hour") },
      { value: "tomorrow", label: say("Until {time}", { time: clockTime(tomorrow, now, tag) }) },
      { value: "week", label: say("For a week") },
      { value: "ever", label: say("Until I end it") },
    ];
    if (until)
      options.push({
        value: "set",
        label: say("Until {time}", { time: clockTime(until, now, tag) }),
      });
    const current = until === undefined ? "no" : until === null ? "ever" : "set";
    return select(say("Mute: {what}", { what }), options, current, (end) => {
      if (end !== "set") this.#change((mine) => withMute(mine, category, ends[end], now));
    });
  }

  #renderQuiet({ preferences, hub }: Rules): TemplateResult {
    const { say } = this.language;
    const quiet = preferences.quiet_hours;
    const windows = quiet?.windows ?? [];
    const set = (hours: QuietHours | undefined) =>
      this.#change((mine) => withQuietHours(mine, hours));
    const fallback = (hub.quiet_hours?.windows ?? []).map(({ from, to }) => `${from}–${to}`);
    const what = fallback.join(", ") || say("None");
    const options = [
      { value: "default", label: say("Default: {what}", { what }) },
      { value: "none", label: say("None") },
      { value: "own", label: say("My own") },
    ];
    const current = quiet ? (windows.length > 0 ? "own" : "none") : "default";
    const choose = (value: string) =>
      set(value === "default" ? undefined : { windows: value === "own" ? [night] : [] });
    const put = (index: number, changed: QuietWindow | null) =>
      set({
        ...quiet,
        windows: windows.flatMap((one, at) => (at === index ? (changed ?? []) : one)),
      });
    return html`
      <div part="row" class="row">
        <span class="what">${say("When")}</span>
        ${select(say("Quiet hours"), options, current, choose)}
      </div>
      ${windows.map((window, index) => renderWindow(window, (changed) => put(index, changed), this.language))}
      ${windows.length === 0 ? nothing : this.#renderWindowsEnd(quiet ?? {}, windows, set)}
    `;
  }

  #renderWindowsEnd(
    { zone = "" }: QuietHours,
    windows: readonly QuietWindow[],
    set: (hours: QuietHours) => void,
  ): TemplateResult {
    const { say } = this.language;
    const isFull = windows.length >= mostWindows;
    const addHours = () => set({ ...(zone && { zone }), windows: [...windows, night] });
    const choose = (chosen: string) => set({ windows, ...(chosen && { zone: chosen }) });
    return html`
      <button
        part="button" class="secondary" type="button"
        aria-disabled=${isFull} @click=${isFull ? nothing : addHours}
      >
        ${say("Add hours")}
      </button>
      <div part="row" class="row zone">
        <span class="what">${say("Time zone")}</span>
        ${select(say("Time zone"), zones(say("That of each device")), zone, choose)}
      </div>
    `;
  }

  /** From hours that were taken out to those before them, or to the choice; else to where the form begins. */
  #goOn(gone: Element): void {
    const isOfHours = gone.matches(".icon-button");
    const places = this.renderRoot.querySelectorAll<HTMLElement>(
      isOfHours ? "fieldset:last-of-type > .row:first-of-type select, .icon-button" : "select",
    );
    places[isOfHours ? places.length - 1 : 0]?.focus();
  }

  #change(change: Change): void {
    this.#keeper?.change(change);
  }
}

function renderWindow(
  window: QuietWindow,
  put: (changed: QuietWindow | null) => void,
  { say, tag }: Language,
): TemplateResult {
  const chosen = window.days ?? days;
  const turn = (day: Day) =>
    put({ ...window, days: days.filter((one) => chosen.includes(one) !== (one === day)) });
  const time = (side: "from" | "to", label: string) => html`<label>
    <span>${label}</span>
    <input
      type="time" required .value=${live(window[side])}
      @change=${({ target }: Event) => {
        const { value } = target as HTMLInputElement;
        if (value) put({ ...window, [side]: value });
      }}
    />
  </label>`;
  const name = (day: number, weekday: "short" | "long") =>
    new Intl.DateTimeFormat(tag, { weekday, timeZone: "UTC" }).format(mondayMs + day * 24 * hourMs);
  return html`
    <div part="window" class="window" role="group" aria-label="${window.from}–${window.to}">
      ${time("from", say("From"))} ${time("to", say("To"))}
      <div class="days">
        ${days.map((day, index) => {
          const isOn = chosen.includes(day);
          const isLast = isOn && chosen.length === 1;
          return html`<label class="day">
            <input
              type="checkbox" .checked=${live(isOn)} ?disabled=${isLast} aria-label=${name(index, "long")}
              @change=${() => turn(day)}
            /><span aria-hidden="true">${name(index, "short")}</span>
          </label>`;
        })}
      </div>
      <button class="icon-button" type="button" aria-label=${say("Remove")} @click=${() => put(null)}>${close}</button>
    </div>
  `;
}

function select(
  label: string,
  options: readonly Option[],
  current: string,
  chosen: (value: string) => void,
): TemplateResult {
  const change = ({ target }: Event) => chosen((target as HTMLSelectElement).value);
  return html`<select part="choice" aria-label=${label} @change=${change}>
    ${options.map(({ value, label: said }) => html`<option value=${value} .selected=${live(value === current)}>${said}</option>`)}
  </select>`;
}

function zones(ofDevice: string): Option[] {
  const named = Intl.supportedValuesOf("timeZone");
  return [
    { value: "", label: ofDevice },
    ...named.map((value) => ({ value, label: value.replaceAll("_", " ") })),
  ];
}
