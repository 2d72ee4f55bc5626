import { beforeEach, expect, test } from "vitest";
import { Tellers } from "../src/browser/tellers.ts";
import type { Arrived } from "../src/core/machine.ts";
import { own } from "./fixtures.ts";

const c: Arrived = own("c", 30);
let tellers = new Tellers();

beforeEach(() => {
  tellers = new Tellers();
});

test("what a tab was left and did not tell is left when it ends, once", () => {
  tellers.leave([c], "x");
  expect(tellers.gone("x")).toEqual([c]);
  expect(tellers.gone("x")).toEqual([]);
  expect(tellers.untold([c])).toEqual([c]);
});

test("what a tab told is not told again after its end", () => {
  tellers.leave([c], "x");
  tellers.told(["c"]);
  expect(tellers.gone("x")).toEqual([]);
});

test("that a tab told may be heard before that it was left to it", () => {
  tellers.told(["c"]);
  tellers.leave([c], "x");
  expect(tellers.gone("x")).toEqual([]);
  expect(tellers.untold([c])).toEqual([]);
});
