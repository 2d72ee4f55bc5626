// @vitest-environment happy-dom

import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TocsinToasts, useWords, type Words } from "../src/elements/index.ts";
import { Language, languageOf, type Phrase } from "../src/elements/language.ts";
import { words as german } from "../src/elements/locale/de.ts";
import { refusalText, refusalWords } from "../src/push/refusal-words.ts";
import { soon } from "./soon.ts";

const french: Words = {
  lang: "fr",
  phrases: { Delete: "Supprimer", "+{n} more": { one: "+{n} autre", other: "+{n} autres" } },
};

function element(lang: string): TocsinToasts {
  const made = document.createElement("tocsin-toasts");
  made.lang = lang;
  document.body.append(made);
  return made;
}

/** Every file of the client, but the words themselves. */
function sources(): string {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".ts") && !name.includes("locale"))
    .map((name) => readFileSync(`src/${name}`, "utf8"))
    .join("\n");
}

function placeholders(text: string): string {
  return [...new Set(text.match(/\{\w+\}/g))].sort().join();
}

beforeEach(() => useWords(french));
afterEach(() => document.body.replaceChildren());

test("what has no translation is said in English", () => {
  const { say } = new Language("fr");
  expect([say("Delete"), say("Undo")]).toEqual(["Supprimer", "Undo"]);
});

test("numbers take the plural and the digits of the language", () => {
  const { say } = new Language("fr");
  expect([0, 1, 5, 1_000].map((n) => say("+{n} more", { n }))).toEqual([
    "+0 autre",
    "+1 autre",
    "+5 autres",
    `+${(1_000).toLocaleString("fr")} autres`,
  ]);
});

test("what others wrote is repeated as it is, with its braces, unless there are words for it", () => {
  const { repeat, say } = new Language("de");
  expect(repeat("disk {full}")).toBe("disk {full}");
  expect(say("{action}: sent", { action: "{n}|x" })).toBe("{n}|x: sent");
});

test("German has a text for everything, nothing that is not said, and the same gaps", () => {
  const code = sources();
  for (const [phrase, translation] of Object.entries(german.phrases)) {
    expect(code).toContain(`"${phrase}"`);
    for (const form of typeof translation === "string" ? [translation] : Object.values(translation))
      expect(placeholders(String(form))).toBe(placeholders(phrase));
  }
});

test("an element speaks the language around it, and follows the page", async () => {
  const toasts = element("");
  const label = () => toasts.renderRoot.querySelector("[role=region]")?.getAttribute("aria-label");
  toasts.removeAttribute("lang");
  await toasts.updateComplete;
  expect(label()).toBe("New alerts (F8)");
  document.documentElement.lang = "de-AT";
  await soon(() => expect(label()).toBe("Neue Meldungen (F8)"));
  document.documentElement.lang = "en";
  await soon(() => expect(label()).toBe("New alerts (F8)"));
  document.documentElement.removeAttribute("lang");
});

test("words that run from right to left turn an element, unless the page has a direction", async () => {
  useWords({ lang: "he", dir: "rtl", phrases: { Delete: "מחיקה" as string } });
  const turned = element("he");
  await turned.updateComplete;
  expect([turned.dir, languageOf(turned).say("Delete" satisfies Phrase)]).toEqual(["rtl", "מחיקה"]);
  turned.lang = "en";
  await turned.updateComplete;
  expect(turned.hasAttribute("dir")).toBe(false);
  document.documentElement.dir = "ltr";
  const left = element("he");
  await left.updateComplete;
  expect(left.hasAttribute("dir")).toBe(false);
  document.documentElement.removeAttribute("dir");
});

test("every refusal that people can meet is said in German", () => {
  const { repeat } = new Language("de");
  const refusal = (status: number, code: string) =>
    repeat(refusalText({ status, body: { code, detail: "the key asked 61 times" } }));
  expect(refusal(429, "rate-limited")).toBe(
    "Das war zu viel auf einmal. Versuchen Sie es in einer Minute noch einmal.",
  );
  expect(refusal(400, "push-platform-off")).toBe("Dieser Server sendet keinen Push.");
  expect(refusal(400, "invalid-time")).toBe("the key asked 61 times");
  for (const text of Object.values(refusalWords)) expect(repeat(text)).not.toBe(text);
});
