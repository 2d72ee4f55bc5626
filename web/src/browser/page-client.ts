import { TocsinClient as HeadlessClient } from "../core/client.ts";
import type { ClientOptions } from "../core/client-options.ts";
import { type ListPage, type ListQuery, listRequest, readList } from "./listing.ts";

/** The client of a page: the headless one in a browser, of which the code is loaded beside the first drawing. */
export class TocsinClient extends HeadlessClient {
  constructor(options: ClientOptions) {
    super({ surroundings: async () => (await import("./index.ts")).inBrowser(), ...options });
  }

  /**
   * Fetch a page that is not kept equal: what is archived, or what a filter leaves, over the whole inbox.
   *
   * @throws When there is no answer, or it is a refusal.
   */
  async list(query: ListQuery): Promise<ListPage> {
    return readList(await this.send(listRequest(query)));
  }
}
