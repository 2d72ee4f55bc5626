/** What a custom property of an element looks like, for `<input type="color">`. */

/** The colour that the element draws with, `--tocsin-x` or what stands for it, as `#rrggbb`. */
export function colourOf(element: Element, property: string): string {
  const probe = document.createElement("span");
  probe.style.setProperty(
    "color",
    `var(${property}, var(${property.replace("--tocsin-", "--_")}))`,
  );
  (element.shadowRoot ?? element).append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return hex(color);
}

/** Any colour of CSS; what it lets through is left out. */
function hex(colour: string): string {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  if (!paint) return "";
  paint.fillStyle = colour;
  paint.fillRect(0, 0, 1, 1);
  const [...parts] = paint.getImageData(0, 0, 1, 1).data.slice(0, 3);
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
