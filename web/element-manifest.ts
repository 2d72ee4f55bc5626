/**
 * Describes the elements as data (`custom-elements.json`), for editors, documentation and other tools.
 *
 * It is made from what stands above each class: `@summary`, `@attr`, `@fires`, `@csspart`, `@cssproperty`, `@slot`,
 * and from its public methods. The analyzer that others use brings a compiler of its own, years older than ours, for
 * sources that need none: this reads their remarks. A test holds them against what the elements really have.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

export interface Described {
  readonly name: string;
  readonly description: string;
  readonly type?: { readonly text: string };
}

export interface Method {
  readonly kind: "method";
  readonly name: string;
  readonly description: string;
}

export interface ElementDescription {
  readonly kind: "class";
  readonly customElement: true;
  readonly name: string;
  readonly tagName: string;
  readonly summary: string;
  readonly description: string;
  readonly attributes: readonly Described[];
  readonly members: readonly Method[];
  readonly events: readonly Described[];
  readonly cssParts: readonly Described[];
  readonly cssProperties: readonly Described[];
  readonly slots: readonly Described[];
}

export interface Manifest {
  readonly schemaVersion: "1.0.0";
  readonly modules: readonly {
    readonly kind: "javascript-module";
    readonly path: string;
    readonly declarations: readonly ElementDescription[];
    readonly exports: readonly object[];
  }[];
}

interface ClassSource {
  readonly name: string;
  readonly parent: string;
  readonly remark: string;
  readonly body: string;
}

interface Tag {
  readonly tag: string;
  readonly text: string;
}

const classPattern =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export (?:abstract )?class (\w+) extends (\w+) \{([\s\S]*?)\n\}/g;
const methodPattern =
  / {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(?!private|protected|override|static)(?:async )?([a-z]\w*)\(/g;
const tagNamePattern = /customElements\.define\("([\w-]+)", (\w+)\)/g;

/** The manifest of all elements whose sources are below `folder`; modules are named as the package has them. */
export function manifestOf(folder: string): Manifest {
  const path = "dist/tocsin/elements.js";
  const declarations = describeElements(folder);
  const exports = declarations.flatMap(({ name, tagName }) => [
    { kind: "js", name, declaration: { name, module: path } },
    { kind: "custom-element-definition", name: tagName, declaration: { name, module: path } },
  ]);
  return {
    schemaVersion: "1.0.0",
    modules: [{ kind: "javascript-module", path, declarations, exports }],
  };
}

/** Every element by its tag's name. */
export function describeElements(folder: string): ElementDescription[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const sources = files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(folder, file), "utf8"));
  const classes = new Map(sources.flatMap(classesOf).map((each) => [each.name, each]));
  const tags = sources.flatMap((source) => [...source.matchAll(tagNamePattern)]);
  return tags
    .map(([, tagName = "", name = ""]) => describe(tagName, lineage(name, classes)))
    .sort((a, b) => (a.tagName < b.tagName ? -1 : 1));
}

function classesOf(source: string): ClassSource[] {
  return [...source.matchAll(classPattern)].map(
    ([, remark = "", name = "", parent = "", body = ""]) => ({
      name,
      parent,
      remark,
      body,
    }),
  );
}

/** The class, and those it extends: what these have, it has. */
function lineage(name: string, classes: ReadonlyMap<string, ClassSource>): ClassSource[] {
  const own = classes.get(name);
  return own ? [own, ...lineage(own.parent, classes)] : [];
}

function describe(tagName: string, [own, ...parents]: ClassSource[]): ElementDescription {
  if (!own) throw new Error(`<${tagName}> has a class without a remark; write one above it`);
  const { description, tags } = readRemark(own.remark);
  const all = [...tags, ...parents.flatMap(({ remark }) => readRemark(remark).tags)];
  const named = (name: string) =>
    all.filter(({ tag }) => tag === name).map(({ text }) => readNamed(text));
  return {
    kind: "class",
    customElement: true,
    name: own.name,
    tagName,
    summary: tags.find(({ tag }) => tag === "summary")?.text ?? "",
    description,
    attributes: named("attr"),
    members: [own, ...parents].flatMap(({ body }) => methodsOf(body)),
    events: named("fires"),
    cssParts: named("csspart"),
    cssProperties: named("cssproperty"),
    slots: named("slot"),
  };
}

/** What a remark says before its tags and in paragraphs after `@summary`, and its tags. */
function readRemark(remark: string): { description: string; tags: Tag[] } {
  const lines = remark.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  const prose: string[] = [];
  const tags: { tag: string; text: string }[] = [];
  let open: { tag: string; text: string } | null = null;
  for (const line of lines) {
    const [, tag, text = ""] = /^@(\w+)\s+(.*)/.exec(line) ?? [];
    if (tag) {
      open = { tag, text };
      tags.push(open);
    } else if (line.trim() === "") open = null;
    else if (open) open.text += ` ${line.trim()}`;
    else prose.push(line.trim());
  }
  return { description: prose.join(" "), tags };
}

/** `{type} name what it is`, with or without the type. */
function readNamed(text: string): Described {
  const [, type, name = "", description = ""] = /^(?:\{(.+?)\}\s+)?(\S+)\s*(.*)$/.exec(text) ?? [];
  return { name, description, ...(type && { type: { text: type } }) };
}

function methodsOf(body: string): Method[] {
  return [...body.matchAll(methodPattern)].map(([, remark = "", name = ""]) => ({
    kind: "method",
    name,
    description: readRemark(remark).description,
  }));
}

/** Writes the manifest beside the elements. */
export function elementManifest(folder: string): Plugin {
  return {
    name: "element-manifest",
    apply: "build",
    generateBundle() {
      const source = `${JSON.stringify(manifestOf(folder), null, 2)}\n`;
      this.emitFile({ type: "asset", fileName: "tocsin/custom-elements.json", source });
    },
  };
}
