/** The part of WebAudio that a tune needs, of a page on which somebody has pressed something, or not yet. */

import { vi } from "vitest";

export class FakeAudio {
  /** The tones: hertz, and when they begin, in seconds. */
  readonly struck: [number, number][] = [];
  nowS = 0;
  wasPressed = true;

  get hertz(): number[] {
    return this.struck.map(([hertz]) => hertz);
  }

  /** Put it in the place of the page's own; `vi.unstubAllGlobals` takes it away. */
  install(): void {
    const audio = this;
    vi.stubGlobal(
      "OscillatorNode",
      class extends AudioPart {
        override start(at: number): void {
          audio.struck.push([this.frequency, at]);
        }
      },
    );
    vi.stubGlobal("GainNode", AudioPart);
    vi.stubGlobal("navigator", {
      language: "en-GB",
      userActivation: {
        get hasBeenActive() {
          return audio.wasPressed;
        },
      },
    });
    vi.stubGlobal(
      "AudioContext",
      class {
        readonly destination = {};
        get currentTime() {
          return audio.nowS;
        }
        async resume() {}
      },
    );
  }
}

class AudioPart {
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

  start(_at: number): void {}

  stop(): void {}
}
