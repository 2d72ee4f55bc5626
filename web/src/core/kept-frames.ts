/** Frames that cannot be applied yet: one per kind, epoch and number. */

import type { Frame } from "./protocol.ts";

const kinds = ["inbox", "broadcast", "head"] as const;

/** Where a frame says the server stands; the number a kind does not carry is 0. */
export function numbersOf(frame: Frame): { readonly rev: number; readonly brev: number } {
  return {
    rev: frame.kind === "broadcast" ? 0 : frame.rev,
    brev: frame.kind === "inbox" ? 0 : frame.brev,
  };
}

export class KeptFrames {
  readonly #limit: number;
  readonly #frames = new Map<string, Frame>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Keep a frame; false when there were too many and all are thrown away. */
  add(frame: Frame): boolean {
    const { rev, brev } = numbersOf(frame);
    this.#frames.set(`${frame.kind} ${frame.epoch} ${rev} ${brev}`, frame);
    if (this.#frames.size <= this.#limit) return true;
    this.clear();
    return false;
  }

  clear(): void {
    this.#frames.clear();
  }

  /** Take all out: own ones by `rev`, broadcasts by `brev`, heads last. */
  takeAll(): Frame[] {
    const frames = [...this.#frames.values()].sort(inOrder);
    this.clear();
    return frames;
  }
}

function inOrder(a: Frame, b: Frame): number {
  const byKind = kinds.indexOf(a.kind) - kinds.indexOf(b.kind);
  if (byKind !== 0) return byKind;
  const [x, y] = [numbersOf(a), numbersOf(b)];
  return x.rev - y.rev || x.brev - y.brev;
}
