/**
 * A dot on the page's icon.
 *
 * The icon is drawn anew and given to the browser as a `data:` address, which a policy of the page has
 * to allow for images (`img-src data:`). One of another site cannot be drawn: the dot stands alone.
 */

const size = 32;
const colour = "oklch(0.55 0.21 25)";

export class Favicon {
  #isDotted = false;
  /** The page's own icon, and its address. */
  #own: { link: HTMLLinkElement; href: string | null } | null = null;

  dot(isDotted: boolean): void {
    if (isDotted === this.#isDotted) return;
    this.#isDotted = isDotted;
    if (isDotted) void this.#draw();
    else this.#takeBack();
  }

  async #draw(): Promise<void> {
    const link = document.querySelector<HTMLLinkElement>('link[rel~="icon"]') ?? newLink();
    this.#own = { link, href: link.getAttribute("href") };
    const icon = await picture(link.href || "/favicon.ico");
    if (this.#isDotted) link.href = withDot(icon);
  }

  #takeBack(): void {
    const { link, href } = this.#own ?? {};
    if (href) link?.setAttribute("href", href);
    else link?.remove();
    this.#own = null;
  }
}

function newLink(): HTMLLinkElement {
  const link = document.createElement("link");
  link.rel = "icon";
  document.head.append(link);
  return link;
}

/** The picture at that address; null if there is none that may be drawn. */
async function picture(href: string): Promise<HTMLImageElement | null> {
  const image = new Image(size, size);
  image.crossOrigin = "anonymous";
  image.src = href;
  return image.decode().then(
    () => image,
    () => null,
  );
}

function withDot(icon: HTMLImageElement | null): string {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  if (!pen) return "";
  if (icon) pen.drawImage(icon, 0, 0, size, size);
  circle(pen, 10, "destination-out");
  circle(pen, 8, "source-over");
  return canvas.toDataURL();
}

/** The dot, and before it the hole around it, so that it stands out of any icon. */
function circle(
  pen: CanvasRenderingContext2D,
  radius: number,
  how: GlobalCompositeOperation,
): void {
  pen.globalCompositeOperation = how;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(size - 9, 9, radius, 0, 2 * Math.PI);
  pen.fill();
}
