/**
 * Keeps a person's preferences on the server: each change shows at once, and is taken back if it was
 * refused.
 *
 * A change is a function, laid over what the server has by then: what another device changed stays.
 */

import type { TocsinClient } from "../../core/index.ts";
import { refusalText } from "../../push/refusal-words.ts";
import type { Preferences, Rules } from "./wanted.ts";

export type Change = (mine: Preferences) => Preferences;

/** `kept`: the last change is on the server. */
export type Standing = "reading" | "read" | "saving" | "kept";

/** Somebody who turns a wheel or types a time changes it many times. */
const gatherMs = 400;
const path = "/v1/preferences";

export class Keeper {
  standing: Standing = "reading";
  /** What went wrong last, in words for people. */
  problem: string | null = null;
  readonly #client: TocsinClient;
  readonly #onChange: () => void;
  #known: Rules | null = null;
  #changes: readonly Change[] = [];

  constructor(client: TocsinClient, onChange: () => void) {
    this.#client = client;
    this.#onChange = onChange;
  }

  /** What holds, with the changes that are not saved yet; null until the server has answered. */
  get rules(): Rules | null {
    return this.#known && { ...this.#known, preferences: this.#over(this.#known.preferences) };
  }

  /** Read what the server has; what is being saved is not disturbed, and what is known outlives a failure. */
  async read(): Promise<void> {
    if (this.standing === "saving") return;
    const { problem } = this;
    const wasKnown = this.#known !== null;
    await this.#try(async () => {
      this.#known = await this.#ask("GET");
      if (this.standing === "reading") this.standing = "read";
    });
    if (wasKnown) this.problem = problem;
  }

  /** Change something; it is saved in a moment, together with what is changed meanwhile. */
  change(change: Change): void {
    this.#changes = [...this.#changes, change];
    this.problem = null;
    if (this.standing !== "saving") void this.#save();
    this.standing = "saving";
    this.#onChange();
  }

  async #save(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, gatherMs));
    const batch = this.#changes;
    await this.#try(async () => {
      this.#known = await this.#ask("GET");
      this.#known = await this.#ask("PUT", this.#over(this.#known.preferences, batch));
      if (this.#changes.length === batch.length) this.standing = "kept";
    });
    this.#changes = this.problem ? [] : this.#changes.slice(batch.length);
    if (this.problem) this.standing = "read";
    if (this.#changes.length > 0) await this.#save();
    this.#onChange();
  }

  #over(mine: Preferences, changes = this.#changes): Preferences {
    return changes.reduce((changed, change) => change(changed), mine);
  }

  async #try(job: () => Promise<void>): Promise<void> {
    this.problem = await job().then(
      () => null,
      (error: unknown) =>
        error instanceof Refusal ? error.message : "The server cannot be reached.",
    );
    this.#onChange();
  }

  async #ask(method: "GET" | "PUT", body?: Preferences): Promise<Rules> {
    const answer = await this.#client.send({ method, path, body });
    if (answer.status === 200) return answer.body as Rules;
    throw new Refusal(refusalText(answer));
  }
}

class Refusal extends Error {
  override readonly name = "Refusal";
}
