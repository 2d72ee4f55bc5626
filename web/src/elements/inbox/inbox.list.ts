/** The rows under their headings, as far as they are drawn. */

import { html, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { ViewItem } from "../../core/index.ts";
import { type Group, yesterday } from "./listing.ts";
import { type RowActions, type RowLook, renderRow } from "./row.ts";
import type { Part } from "./row-window.ts";
import type { Selection } from "./selection.ts";

export interface ListLook extends Pick<RowLook, "wayBack" | "now" | "language"> {
  readonly fresh: ReadonlySet<string>;
  readonly selection: Selection;
  readonly tabStop: string | undefined;
}

/** A heading is drawn if one of its rows is. */
export function renderGroups(
  groups: readonly Group[],
  part: Part,
  look: ListLook,
  actions: RowActions,
): TemplateResult {
  let index = 0;
  const drawn = groups.flatMap((group) => {
    const from = Math.max(part.from - index, 0);
    const to = Math.min(part.to - index, group.items.length);
    index += group.items.length;
    return from < to ? { group, from, to } : [];
  });
  return html`
    ${gap(part.above)}
    ${repeat(
      drawn,
      ({ group }) => group.key,
      ({ group, from, to }) => renderGroup(group, from, to, look, actions),
    )}
    ${gap(part.below)}
  `;
}

/** As high as rows that are not drawn; an attribute, since a strict page may forbid styles in the markup. */
function gap(height: number): TemplateResult {
  return html`<svg class="gap" height=${height} aria-hidden="true"></svg>`;
}

function renderGroup(
  { key, title, items }: Group,
  from: number,
  to: number,
  look: ListLook,
  actions: RowActions,
): TemplateResult {
  const row = (item: ViewItem, index: number) =>
    renderRow(
      item,
      {
        ...look,
        isFresh: look.fresh.has(item.id),
        isSelected: look.selection.has(item.id),
        isDayKnown: key === yesterday,
        isTabStop: item.id === look.tabStop,
        place: from + index + 1,
        outOf: items.length,
      },
      actions,
    );
  return html`
    <section role="group" aria-labelledby="group-${key}">
      <h2 id="group-${key}">${title}</h2>
      <ul>${repeat(items.slice(from, to), ({ id }) => id, row)}</ul>
    </section>
  `;
}
