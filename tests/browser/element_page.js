/** A page without a server: its elements show what a test says, and what they ask for is written down. */

import "/tocsin/elements.js";

const counts = { unseen: 0, unread: 0 };
const nothing = {
  items: [],
  counts,
  position: null,
  end: null,
  complete: true,
  synced: true,
  pending: 0,
  as_of: null,
  status: "starting",
};
const told = ["markRead", "markUnread", "archive", "unarchive", "snooze", "unsnooze", "remove", "restore"];
const asked = ["markAllRead", "markReadFrom", "markAllSeen", "tell", "loadOlder", "hurry"];

class ScriptedClient {
  /** What was asked for: `["archive", ["a", "b"]]`. */
  calls = [];
  status = "online";
  /** What was put away, by status; null of one that cannot be fetched. */
  lists = {};
  #view = nothing;
  #listeners = new Map();

  constructor() {
    for (const name of told) {
      this[name] = (items) => this.calls.push([name, [items].flat().map(({ id }) => id)]);
    }
    for (const name of asked) this[name] = () => this.calls.push([name]);
  }

  view() {
    return this.#view;
  }

  subscribe(listener) {
    return this.on("view", listener);
  }

  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit(name, value) {
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
  }

  async list({ status }) {
    if (this.lists[status] === null) throw new Error("no answer");
    return { items: this.lists[status] ?? [], next: null };
  }

  show(view) {
    this.#view = { ...nothing, ...view };
    this.emit("view", this.#view);
  }
}

/** Put one element on the page, alone, with a client of its own; returns when it is drawn. */
window.put = async (name, properties, { view, status, lists } = {}) => {
  const client = new ScriptedClient();
  client.show(view);
  client.status = status ?? "online";
  client.lists = lists ?? {};
  const element = Object.assign(document.createElement(name), { client, ...properties });
  document.querySelector("#stage").replaceChildren(element);
  Object.assign(window, { client, element });
  await customElements.whenDefined(name);
  await element.updateComplete;
};

document.body.dataset.ready = "";
