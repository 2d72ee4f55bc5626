// @vitest-environment happy-dom
import { readdirSync, readFileSync } from "node:fs";
import type { LitElement } from "lit";
import { expect, test } from "vitest";
import "../src/elements/index.ts";
import "../src/elements/inbox/inbox.ts";
import "../src/elements/settings.ts";
import { describeElements, type ElementDescription } from "../element-manifest.ts";

const folder = "src/elements";
const described = describeElements(folder);

/** Everything that is written in the sources of elements, and of what they share. */
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(`${folder}/${file}`, "utf8"))
  .join("\n");
const opening = readFileSync("src/push/opening.ts", "utf8");

function written(pattern: RegExp, source = sources): string[] {
  return [...new Set([...source.matchAll(pattern)].map(([, name = ""]) => name))].sort();
}

function named(kind: "attributes" | "events" | "cssParts" | "cssProperties"): string[] {
  return [...new Set(described.flatMap((element) => element[kind].map(({ name }) => name)))].sort();
}

test("every element is described, and says what it is", () => {
  const defined = written(/customElements\.define\("([\w-]+)"/g);
  expect(described.map(({ tagName }) => tagName)).toEqual(defined);
  for (const { summary } of described) expect(summary).toMatch(/\.$/);
});

test("every attribute an element has is described, and no other", () => {
  for (const element of described) {
    expect(element.attributes.map(({ name }) => name).sort(), element.tagName).toEqual(
      attributesOf(element),
    );
  }
});

/** As the browser knows them. */
function attributesOf({ tagName }: ElementDescription): string[] {
  const { observedAttributes } = customElements.get(tagName) as typeof LitElement;
  return [...new Set(observedAttributes)].sort();
}

test("every event, part and custom property in the code is described, and no other", () => {
  const constants = new Map(
    [...`${sources}${opening}`.matchAll(/const (\w+) = "(tocsin-[\w-]+)"/g)].map(
      ([, name, value]) => [name, value],
    ),
  );
  const events = written(/new (?:Custom)?Event(?:<[^(]*>)?\(\s*([\w"-]+)/g)
    .map((name) => (name.startsWith('"') ? name.slice(1, -1) : (constants.get(name) ?? name)))
    .sort();
  expect(named("events")).toEqual(events);
  expect(named("cssParts")).toEqual(written(/part="([\w-]+)"/g));
  expect(named("cssProperties")).toEqual(written(/var\((--tocsin-[\w-]+)/g));
});

test("the README lists the parts of every element", () => {
  const readme = readFileSync("README.md", "utf8");
  for (const { tagName, cssParts } of described) {
    const row = new RegExp(`^\\| \`<${tagName}>\` +\\| (\`[a-z\`, ]+\`) +\\|$`, "m").exec(readme);
    const listed = [...(row?.[1] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(listed, tagName).toEqual(cssParts.map(({ name }) => name));
  }
});

test("nothing is described without words", () => {
  for (const { attributes, events, cssParts, cssProperties, members, slots } of described) {
    for (const each of [attributes, events, cssParts, cssProperties, members, slots].flat()) {
      expect(each.description, each.name).toMatch(/\w/);
    }
  }
});
