/** The page's colours as a canvas needs them. */

export interface Palette {
  text: string;
  muted: string;
  line: string;
  accent: string;
  gain: string;
  loss: string;
  fill: string;
  /** Of several lines in one chart. */
  lines: readonly string[];
}

/** So many lines have colours of their own; beyond, they come again, dashed. */
export const LINE_COLOURS = 6;

export function palette(): Palette {
  // light-dark() is resolved only where it is used as a colour, so an element has to use it.
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    text: colour("text"),
    muted: colour("text-muted"),
    line: colour("line"),
    accent: colour("accent"),
    gain: colour("gain"),
    loss: colour("loss"),
    fill: colour("flash"),
    lines: Array.from({ length: LINE_COLOURS }, (_none, index) => colour(`line-${index}`)),
  };
  probe.remove();
  return found;
}
