/** Takes out of `html` and `css` templates what only makes the source readable, before they are bundled. */

import { type Plugin, parseSync, Visitor } from "vite";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A Vite plugin; it rewrites TypeScript files that have such templates. */
export function minifyLiterals(): Plugin {
  return {
    name: "minify-literals",
    enforce: "pre",
    transform: {
      filter: { id: /\/src\/elements\/.*\.ts$/ },
      handler: (code, id) => ({ code: withShortLiterals(code, id), map: null }),
    },
  };
}

/** The module with its templates shortened; what they draw stays the same. */
export function withShortLiterals(code: string, file: string): string {
  const edits: Edit[] = [];
  new Visitor({
    TaggedTemplateExpression({ tag, quasi }) {
      if (tag.type !== "Identifier") return;
      const shorten = { css: shortCss, html: shortHtml, svg: shortHtml }[tag.name];
      if (!shorten) return;
      const texts = shorten(quasi.quasis.map(({ value }) => value.raw));
      // The range of a quasi takes in the signs around its text.
      quasi.quasis.forEach(({ value, start, end }, index) => {
        const at = code.indexOf(value.raw, start);
        if (at < 0 || at > end) throw new Error(`${file}: a template is not where it should be`);
        edits.push({ start: at, end: at + value.raw.length, text: texts[index] ?? "" });
      });
    },
  }).visit(parseSync(file, code).program);
  edits.sort((a, b) => b.start - a.start);
  return edits.reduce(
    (left, { start, end, text }) => left.slice(0, start) + text + left.slice(end),
    code,
  );
}

/** Strings keep their text: no rule of ours has two blanks, a comment or punctuation to lose in one. */
export function shortCss(parts: readonly string[]): string[] {
  return parts.map((part) =>
    part
      .replace(/\/\*.*?\*\//gs, "")
      .replace(/\s+/g, " ")
      .replace(/ ?([{};,]) ?/g, "$1")
      .replace(/: /g, ":")
      .replace(/;}/g, "}"),
  );
}

/**
 * Between two tags, or a tag and an expression, a line break and what is around it goes; elsewhere it is one
 * blank, as browsers draw it. A blank that is meant between two of them stands on one line, and stays.
 */
export function shortHtml(parts: readonly string[]): string[] {
  let isInTag = false;
  return parts.map((part, index) => {
    const isFirst = index === 0;
    const isLast = index === parts.length - 1;
    return part.replace(/<|>|\s+/g, (found, offset: number) => {
      if (found === "<" || found === ">") {
        isInTag = found === "<";
        return found;
      }
      const before = part[offset - 1];
      const after = part[offset + found.length];
      if (isInTag) return after === ">" ? "" : " ";
      const isEdge = (!before && (isFirst || found.includes("\n"))) || before === ">";
      const isOther = (!after && (isLast || found.includes("\n"))) || after === "<";
      return found.includes("\n") && isEdge && isOther ? "" : " ";
    });
  });
}
