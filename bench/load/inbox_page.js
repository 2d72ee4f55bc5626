/**
 * What the row `web` measures in a browser. `?kept` names the person, so that the browser keeps the inbox; without it
 * everything comes over the network. `window.bench` is called from outside; times are in milliseconds.
 */

import { TocsinClient } from "/tocsin/elements.js";

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
/** Until what was just done is on the screen: a frame begins, and another after it. */
const drawn = async () => {
  await frame();
  await frame();
};

const isKept = new URLSearchParams(location.search).has("kept");
const client = new TocsinClient({
  endpoint: location.origin,
  tokenUrl: "/bench/token",
  core: { page_limit: 200 },
  ...(isKept && { user: "reader" }),
});
const inbox = Object.assign(document.createElement("tocsin-inbox"), { client });
document.body.append(inbox);
client.connect();

/** When the first row of the inbox was there, since the page was asked for. */
async function firstRow() {
  while (!inbox.shadowRoot?.querySelector("li")) await frame();
  return performance.now();
}

/** Ask for older alerts until all are here. */
async function loadAll() {
  for (;;) {
    const { synced, complete, end } = client.view();
    if (synced && complete) return client.view().items.length;
    if (synced) client.loadOlder();
    while (!client.view().synced || (client.view().end === end && !client.view().complete)) await frame();
  }
}

/** The same alerts as a list without us: one element each, all of them at once. */
function drawPlain() {
  const list = Object.assign(document.createElement("ul"), { id: "plain" });
  for (const { alert } of client.view().items) {
    const row = document.createElement("li");
    row.append(alert.title, document.createElement("br"), alert.body);
    list.append(row);
  }
  inbox.replaceWith(list);
}

/** Scroll by a screen's third with each frame; the frames' lengths. */
async function scroll(frames) {
  const list = document.querySelector("#plain") ?? inbox.shadowRoot.querySelector(".list");
  const lengths = [];
  let before = await frame();
  for (let count = 0; count < frames; count += 1) {
    list.scrollTop += 200;
    const now = await frame();
    lengths.push(now - before);
    before = now;
  }
  list.scrollTop = 0;
  await drawn();
  return lengths;
}

/** Mark one after the other as read; how long until each is drawn so. */
async function read(count) {
  const rows = document.querySelectorAll("#plain li");
  const items = client.view().items.slice(0, count);
  const lengths = [];
  for (const [index, item] of items.entries()) {
    await frame();
    const began = performance.now();
    if (rows.length > 0) rows[index].className = "read";
    else client.markRead(item);
    await drawn();
    lengths.push(performance.now() - began);
  }
  return lengths;
}

window.bench = { firstRow, loadAll, drawPlain, scroll, read };
