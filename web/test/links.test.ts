import { expect, test } from "vitest";
import { isForeign, safeLink } from "../src/core/links.ts";

test.each([
  "https://example.org/x",
  "http://example.org",
  "mailto:ada@example.org",
  "tel:+4912345",
  "/invoices/7",
  "invoices/7?x=1",
  "#top",
  "//example.org/x",
])("%s may be a link", (address) => {
  expect(safeLink(address)).toBe(address);
});

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  " javascript:alert(1)",
  "java\nscript:alert(1)",
  "java\tscript:alert(1)",
  "\u0001javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "blob:https://example.org/1",
  "http://[broken",
  "",
])("%j may not", (address) => {
  expect(safeLink(address)).toBeNull();
});

test("another site is told from the page's own", () => {
  expect(isForeign("https://other.org/x", "https://own.org")).toBe(true);
  expect(isForeign("//other.org/x", "https://own.org")).toBe(true);
  expect(isForeign("/x", "https://own.org")).toBe(false);
  expect(isForeign("mailto:a@b.org", "https://own.org")).toBe(false);
});

test("an address that cannot be read on this page is foreign, and no failure", () => {
  expect(safeLink("https:")).toBe("https:");
  expect(isForeign("https:", "http://own.org")).toBe(true);
  expect(isForeign("/x", "null")).toBe(true);
});
