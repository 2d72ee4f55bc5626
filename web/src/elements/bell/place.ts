/** Where the panel of the bell stands. */

const widthPx = 400;
const gapPx = 8;
/** With less room than this below the bell, and more above, the panel stands above it. */
const leastPx = 320;

/**
 * Below the bell, or above it, its end at the bell's end, inside the window.
 *
 * @param bell Null where the panel takes a whole edge of the window, and its styles place it.
 */
export function placeBeside(panel: HTMLElement, bell: DOMRect | null): void {
  const { style } = panel;
  if (!bell) {
    style.inset = style.maxHeight = "";
    return;
  }
  const { clientWidth, clientHeight } = document.documentElement;
  const width = Math.min(widthPx, clientWidth - 2 * gapPx);
  const isRightToLeft = getComputedStyle(panel).direction === "rtl";
  const wanted = isRightToLeft ? bell.left : bell.right - width;
  const left = Math.max(gapPx, Math.min(wanted, clientWidth - width - gapPx));
  const below = clientHeight - bell.bottom - 2 * gapPx;
  const above = bell.top - 2 * gapPx;
  const isAbove = below < leastPx && above > below;
  const edge = isAbove ? clientHeight - bell.top + gapPx : bell.bottom + gapPx;
  style.inset = isAbove ? `auto auto ${edge}px ${left}px` : `${edge}px auto auto ${left}px`;
  style.maxHeight = `min(70vh, ${isAbove ? above : below}px)`;
}
