// @vitest-environment happy-dom
import { expect, test } from "vitest";
import "../src/elements/index.ts";
import { soon } from "./soon.ts";

test("an element is defined when the document has one, wherever it is put", async () => {
  expect(customElements.get("tocsin-inbox")).toBeUndefined();
  const card = document.createElement("div");
  card.append(document.createElement("tocsin-inbox"));
  document.body.append(card);
  await soon(() => expect(customElements.get("tocsin-inbox")).toBeDefined());
  expect(customElements.get("tocsin-push")).toBeUndefined();
  document.body.append(document.createElement("tocsin-push"));
  await soon(() => expect(customElements.get("tocsin-push")).toBeDefined());
});

test("a bell has its inbox when somebody comes near it", async () => {
  const bell = document.createElement("tocsin-bell");
  document.body.append(bell);
  await bell.updateComplete;
  bell.renderRoot.querySelector("button")?.dispatchEvent(new Event("pointerenter"));
  await customElements.whenDefined("tocsin-inbox");
});
