/** Throws a toast out sideways by touch or pen; everything it does has a button too. */

const farPx = 80;

/** Follow a pointer that went down on an element; `gone` is called if it let go far from there. */
export function followSwipe(down: PointerEvent, gone: () => void): void {
  if (down.pointerType === "mouse") return;
  const element = down.currentTarget as HTMLElement;
  const over = new AbortController();
  const listen = (name: "pointermove" | "pointerup" | "pointercancel", end: boolean) =>
    element.addEventListener(
      name,
      ({ clientX }) => {
        const moved = clientX - down.clientX;
        element.style.setProperty("--_moved", `${moved}px`);
        if (!end) return;
        over.abort();
        element.style.removeProperty("--_moved");
        if (name === "pointerup" && Math.abs(moved) > farPx) gone();
      },
      { signal: over.signal },
    );
  listen("pointermove", false);
  listen("pointerup", true);
  // The page scrolls, or the system took the touch: it stays.
  listen("pointercancel", true);
}
