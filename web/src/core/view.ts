/** What is drawn: own items and listed broadcasts in one order, and the counts of both (rule 6). */

import type { Held } from "./held.ts";
import type { ViewItem } from "./machine.ts";
import { isListed, isRead, isSeen, type MarkedRow, sumCounts, weigh } from "./marks.ts";
import type { Layer } from "./overlay.ts";
import type { Counts, StateRow } from "./protocol.ts";

const untouched: Partial<StateRow> = {};

/** Rows as lists show them: down to `end`, newest first, seen and read decided. */
export function drawnItems(layer: Layer | Held): ViewItem[] {
  const end = layer.end ?? Number.NEGATIVE_INFINITY;
  return [...rows(layer)].filter((row) => row.sort >= end).sort(newestFirst);
}

/** The own counts plus all live broadcasts that are listed and not seen (not read). */
export function shownCounts(layer: Layer | Held): Counts {
  const broadcasts = [...layer.broadcasts.keys()].map((brev) =>
    weigh(layer.states.get(brev) ?? untouched, brev, layer.watermarks),
  );
  return sumCounts([layer.counts, ...broadcasts]);
}

function* rows(layer: Layer | Held): Iterable<ViewItem> {
  for (const item of layer.items.values()) {
    if (isListed(item)) yield { ...item, ...decided(item, null, layer) };
  }
  for (const broadcast of layer.broadcasts.values()) {
    const state = layer.states.get(broadcast.brev) ?? untouched;
    if (!isListed(state)) continue;
    const { rev, ...marks } = state;
    const row = { ...broadcast, ...marks, ...decided(state, broadcast.brev, layer) };
    yield { ...row, id: broadcast.alert_id, sort: state.sort ?? broadcast.sort };
  }
}

function decided(row: MarkedRow, brev: number | null, layer: Layer | Held) {
  return {
    seen: isSeen(row, brev, layer.watermarks),
    read: isRead(row, brev, layer.watermarks),
  };
}

function newestFirst(a: ViewItem, b: ViewItem): number {
  if (a.sort !== b.sort) return b.sort - a.sort;
  return a.id < b.id ? 1 : -1;
}
