/** The page of an element, as `custom-elements.json` has it. */

import type { ElementDescription, Manifest } from "../../element-manifest.ts";

export type { Manifest } from "../../element-manifest.ts";

export interface Page {
  readonly element: ElementDescription;
  readonly all: readonly ElementDescription[];
}

/** The page of the element with this tag's name; the first one's where nothing has it. */
export function pageOf(manifest: Manifest, tagName: string | null): Page {
  const all = manifest.modules.flatMap(({ declarations }) => declarations);
  const element = all.find((known) => known.tagName === tagName) ?? all[0];
  if (!element) throw new Error("the manifest describes no element");
  return { element, all };
}
