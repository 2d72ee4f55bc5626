import { expect, test } from "vitest";
import { shortCss, shortHtml, withShortLiterals } from "../minify-literals.ts";

test("a line break between tags and expressions goes, a blank that is meant stays", () => {
  expect(shortHtml(["\n  <p>\n    ", "\n    <b>a</b> <i>b</i>\n  </p>\n"])).toEqual([
    "<p>",
    "<b>a</b> <i>b</i></p>",
  ]);
  expect(shortHtml(["<b>a</b> ", ""])).toEqual(["<b>a</b> ", ""]);
});

test("text keeps one blank where a line breaks in it", () => {
  expect(shortHtml(["<p>one\n  two ", "\n three</p>"])).toEqual(["<p>one two ", " three</p>"]);
});

test("attributes stay apart from each other and from expressions", () => {
  expect(shortHtml(["<a\n  class=", "\n  href=", "\n>x</a>"])).toEqual([
    "<a class=",
    " href=",
    ">x</a>",
  ]);
});

test("rules lose blanks and remarks, and selectors keep what they mean", () => {
  expect(
    shortCss(["\n  /* why */\n  .a :hover,\n  .b {\n    margin: 0 auto;\n    color: red;\n  }\n"]),
  ).toEqual([" .a :hover,.b{margin:0 auto;color:red}"]);
  expect(
    shortCss(["@media (width > 1px) and (hover: none) { a { width: calc(1px + 2px) } }"]),
  ).toEqual(["@media (width > 1px) and (hover:none){a{width:calc(1px + 2px)}}"]);
});

test("only templates of html, svg and css are touched, nested ones too", () => {
  const code = `const a: string = \`x\n  y\`; const b = html\`<p>\n  \${html\`<b>\n</b>\`}\n</p>\`;`;
  expect(withShortLiterals(code, "a.ts")).toBe(
    `const a: string = \`x\n  y\`; const b = html\`<p>\${html\`<b></b>\`}</p>\`;`,
  );
});
