/**
 * What the elements say, in the language of the page.
 *
 * The code says everything in English: the English text is the key, so that English costs nothing and
 * what a language has no words for is said in English. German is loaded when a page is German; other
 * languages are files of the same shape, given to `useWords`.
 */

import type { words as german } from "./locale/de.ts";

/** Everything that is said; `one|other` where it depends on a number `{n}`. */
export type Phrase = keyof typeof german.phrases;

/** One text, or one for each plural form of the language; `{names}` stay as they are in English. */
export type Translation = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;

/** One language, as a file of `locale/` has it. */
export interface Words {
  /** A language tag: `fr`, `pt-BR`. */
  readonly lang: string;
  /** Given where the language is written from right to left. */
  readonly dir?: "rtl";
  readonly phrases: Readonly<Partial<Record<Phrase, Translation>>>;
}

type Values<Value> = Readonly<Record<string, Value>>;

const shipped: Readonly<Record<string, () => Promise<{ readonly words: Words }>>> = {
  de: () => import("./locale/de.ts"),
};
const known = new Map<string, Words>();
const spoken = new Map<string, Language>();
const asked = new Set<string>();
const listeners = new Set<() => void>();
let isWatching = false;

/** Speak so wherever the page is in that language; every element is drawn anew. */
export function useWords(words: Words): void {
  known.set(words.lang.toLowerCase(), words);
  tell();
}

/** One language: its words, its numbers, its plurals. */
export class Language {
  /** For `Intl`: with the region that the browser gives the language where the page names none. */
  readonly tag: string;
  readonly words: Words | undefined;
  /** Making rules costs far more than using them, and a list says plurals in every row. */
  readonly #rules = new Map<string, Intl.PluralRules>();

  constructor(tag: string) {
    this.tag = navigator.languages?.find((one) => one.startsWith(`${tag}-`)) ?? tag;
    this.words = known.get(tag.toLowerCase()) ?? known.get(stemOf(tag));
  }

  readonly say = (phrase: Phrase, values?: Values<string | number>): string =>
    this.fill(phrase, values).join("");

  /** Say what others wrote, if there are words for it. */
  readonly repeat = (text: string): string => String(this.words?.phrases[text as Phrase] ?? text);

  /** As `say`, in pieces, so that a value may be a template. */
  fill<Value>(phrase: Phrase, values: Values<Value> = {}): (string | Value | undefined)[] {
    const text = this.#form(phrase, Number(values.n));
    return text.split(/\{(\w+)\}/).map((piece, index) => {
      const value = values[piece];
      if (index % 2 === 0) return piece;
      return typeof value === "number" ? value.toLocaleString(this.tag) : value;
    });
  }

  #form(phrase: Phrase, n: number): string {
    const translation = this.words?.phrases[phrase];
    if (typeof translation === "string") return translation;
    const [one = "", other = one] = phrase.split("|");
    if (!translation && !phrase.includes("|")) return phrase;
    const form = this.#rulesOf(translation ? this.tag : "en").select(n || 0);
    return translation?.[form] ?? translation?.other ?? (form === "one" ? one : other);
  }

  #rulesOf(tag: string): Intl.PluralRules {
    const rules = this.#rules.get(tag) ?? new Intl.PluralRules(tag);
    this.#rules.set(tag, rules);
    return rules;
  }
}

/** The language of the nearest `lang` around an element, else the browser's. Its words may come later. */
export function languageOf(element: Element): Language {
  const tag = nearest(element, "lang") || navigator.language;
  const stem = stemOf(tag);
  const load = shipped[stem];
  if (load && !known.has(stem) && !asked.has(stem)) {
    asked.add(stem);
    // Without its file a language is English, which is better than nothing.
    load().then(
      ({ words }) => known.has(stem) || useWords(words),
      () => undefined,
    );
  }
  const language = spoken.get(tag) ?? new Language(tag);
  spoken.set(tag, language);
  return language;
}

/** The value of an attribute on the nearest element that has it, out of shadow roots too. */
export function nearest(element: Element, attribute: "lang" | "dir"): string | null {
  const found = element.closest(`[${attribute}]`);
  if (found) return found.getAttribute(attribute);
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? nearest(root.host, attribute) : null;
}

/** Call `listener` when the page's language is another one, or has words now; returns how to stop it. */
export function onLanguage(listener: () => void): () => void {
  if (!isWatching) {
    isWatching = true;
    new MutationObserver(tell).observe(document.documentElement, { attributeFilter: ["lang"] });
  }
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  spoken.clear();
  for (const listener of [...listeners]) listener();
}

function stemOf(tag: string): string {
  return tag.toLowerCase().split("-")[0] ?? tag;
}
