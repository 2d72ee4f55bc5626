import { css, nothing, type PropertyDeclarations } from "lit";
import { showBadge } from "../../push/app-badge.ts";
import { ClientElement } from "../client-element.ts";
import type { Favicon, PageTitle } from "./tab-marks.ts";

interface TabMarks {
  readonly title: PageTitle;
  readonly favicon: Favicon;
}

/**
 * @summary Tells in the tab and on the app's icon that something new came. It draws nothing on the page.
 *
 * `title` begins the page's title with the number of unseen alerts, `favicon` puts a dot on its icon
 * while there are any, `app` sets the number of unread ones on the icon of an installed app, as push
 * does. Taken off the page, it takes all of it back; signing out takes the number off the icon.
 *
 * @attr {string} marks Which of `title`, `favicon` and `app`, with blanks between. Default: none.
 */
export class TocsinPageBadge extends ClientElement {
  static override styles = css`
    :host {
      display: none;
    }
  `;
  static override properties: PropertyDeclarations = { marks: {} };

  declare marks: string | undefined;
  #tab: Promise<TabMarks | null> | null = null;
  /** Whether the number on the app's icon is from here. */
  #isOnApp = false;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#markApp([]);
    void this.#markTab(0, []);
  }

  protected override render(): typeof nothing {
    return nothing;
  }

  protected override updated(): void {
    const marks = this.marks?.split(/\s+/) ?? [];
    if (!this.isConnected) return;
    this.#markApp(marks);
    void this.#markTab(this.view?.counts.unseen ?? 0, marks);
  }

  /** What push has set stays until the inbox is known; of a person who is gone nothing stays. */
  #markApp(marks: readonly string[]): void {
    const view = marks.includes("app") ? this.view : null;
    const isKnown = !!view?.position;
    if (isKnown) showBadge(view.counts.unread);
    else if (this.#isOnApp || view?.status === "signed-out") showBadge(0);
    this.#isOnApp = isKnown;
  }

  async #markTab(unseen: number, marks: readonly string[]): Promise<void> {
    if (!this.#tab && !marks.includes("title") && !marks.includes("favicon")) return;
    this.#tab ??= loadTabMarks();
    const tab = await this.#tab;
    tab?.title.count(marks.includes("title") ? unseen : 0);
    tab?.favicon.dot(marks.includes("favicon") && unseen > 0);
  }
}

/** Without the network there are none. */
async function loadTabMarks(): Promise<TabMarks | null> {
  const loaded = await import("./tab-marks.ts").catch(() => null);
  return loaded && { title: new loaded.PageTitle(), favicon: new loaded.Favicon() };
}
