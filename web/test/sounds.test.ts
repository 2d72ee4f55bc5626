import { beforeEach, expect, test, vi } from "vitest";

/** The part of WebAudio that a tune needs; `struck` are the tones in hertz, by when they begin. */
let struck: [number, number][];
let nowS: number;
let pressed: boolean;

class Node {
  readonly frequency: number;
  readonly gain = {
    setValueAtTime: () => undefined,
    linearRampToValueAtTime: () => undefined,
    exponentialRampToValueAtTime: () => undefined,
  };

  constructor(_: unknown, { frequency = 0 }: { frequency?: number }) {
    this.frequency = frequency;
  }

  connect(next: unknown): unknown {
    return next;
  }

  start(at: number): void {
    struck.push([this.frequency, at]);
  }

  stop(): void {}
}

beforeEach(async () => {
  [struck, nowS, pressed] = [[], 0, true];
  vi.resetModules();
  vi.stubGlobal("OscillatorNode", Node);
  vi.stubGlobal("GainNode", Node);
  vi.stubGlobal("navigator", {
    userActivation: {
      get hasBeenActive() {
        return pressed;
      },
    },
  });
  vi.stubGlobal(
    "AudioContext",
    class {
      readonly destination = {};
      get currentTime() {
        return nowS;
      }
      async resume() {}
    },
  );
});

async function player(): Promise<typeof import("../src/elements/sounds/sounds.ts")> {
  return import("../src/elements/sounds/sounds.ts");
}

test("of several severities the gravest sounds, and only once somebody has pressed something", async () => {
  const { sound } = await player();
  pressed = false;
  sound(["critical"]);
  expect(struck).toEqual([]);
  pressed = true;
  sound(["info", "error", "success"]);
  expect(struck.map(([hertz]) => hertz)).toEqual([523, 392]);
});

test("one sound at a time: what is no graver is not heard until it is over", async () => {
  const { sound } = await player();
  sound(["warning"]);
  sound(["warning"]);
  sound(["info"]);
  expect(struck).toHaveLength(2);
  sound(["critical"]);
  expect(struck).toHaveLength(6);
  nowS = 2;
  sound(["info"]);
  expect(struck.at(-1)).toEqual([880, 2]);
});
