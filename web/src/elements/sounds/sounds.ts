/**
 * A short sound for each severity, made by the browser itself: no file is loaded.
 *
 * Browsers let a page sound only after somebody has pressed something on it; before, it stays silent.
 */

import type { Severity } from "../../core/index.ts";

interface Note {
  readonly hertz: number;
  /** Seconds after the first one. */
  readonly at: number;
}

const betweenS = 0.14;
const noteS = 0.3;
const loudness = 0.12;
/** The milder first. What is well goes up, what is not goes down, and critical insists. */
const tunes: Readonly<Record<Severity, readonly Note[]>> = {
  info: notes(880),
  success: notes(659, 880),
  warning: notes(587, 587),
  error: notes(523, 392),
  critical: notes(784, 988, 784, 988),
};
const severities = Object.keys(tunes);

let context: AudioContext | null = null;
let playing = { rank: -1, until: 0 };

/**
 * Sound for the gravest of these severities. One sound at a time: a graver one is added, another is
 * not heard.
 */
export function sound(heard: readonly Severity[]): void {
  if (!navigator.userActivation?.hasBeenActive) return;
  const rank = Math.max(...heard.map((severity) => severities.indexOf(severity)));
  const tune = Object.values(tunes)[rank];
  if (!tune) return;
  context ??= new AudioContext();
  const now = context.currentTime;
  if (now < playing.until && rank <= playing.rank) return;
  void context.resume();
  for (const note of tune) ring(context, note, now);
  playing = { rank, until: now + (tune.at(-1)?.at ?? 0) + noteS };
}

/** A tone that is struck and fades. */
function ring(audio: AudioContext, { hertz, at }: Note, now: number): void {
  const tone = new OscillatorNode(audio, { frequency: hertz });
  const volume = new GainNode(audio, { gain: 0 });
  const start = now + at;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(loudness, start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, start + noteS);
  tone.connect(volume).connect(audio.destination);
  tone.start(start);
  tone.stop(start + noteS);
}

function notes(...hertz: number[]): readonly Note[] {
  return hertz.map((one, index) => ({ hertz: one, at: index * betweenS }));
}
