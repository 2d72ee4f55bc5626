import { beforeEach, expect, test, vi } from "vitest";
import { FakeAudio } from "./fake-audio.ts";

let audio: FakeAudio;

beforeEach(() => {
  audio = new FakeAudio();
  audio.install();
  vi.resetModules();
});

async function player(): Promise<typeof import("../src/elements/sounds/sounds.ts")> {
  return import("../src/elements/sounds/sounds.ts");
}

test("of several severities the gravest sounds, and only once somebody has pressed something", async () => {
  const { sound } = await player();
  audio.wasPressed = false;
  sound(["critical"]);
  expect(audio.struck).toEqual([]);
  audio.wasPressed = true;
  sound(["info", "error", "success"]);
  expect(audio.hertz).toEqual([523, 392]);
});

test("one sound at a time: what is no graver is not heard until it is over", async () => {
  const { sound } = await player();
  sound(["warning"]);
  sound(["warning"]);
  sound(["info"]);
  expect(audio.struck).toHaveLength(2);
  sound(["critical"]);
  expect(audio.struck).toHaveLength(6);
  audio.nowS = 2;
  sound(["info"]);
  expect(audio.struck.at(-1)).toEqual([880, 2]);
});
