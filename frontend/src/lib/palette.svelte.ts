/** Whether gains and losses are blue and orange: read by public/theme.js before the first paint. */

const STORED = "eqtrade.palette";

class Palette {
  isBlue = $state(document.documentElement.dataset["palette"] === "blue");

  turn(isBlue: boolean): void {
    this.isBlue = isBlue;
    if (isBlue) document.documentElement.dataset["palette"] = "blue";
    else delete document.documentElement.dataset["palette"];
    try {
      if (isBlue) localStorage.setItem(STORED, "blue");
      else localStorage.removeItem(STORED);
    } catch {
      // It then lasts until the page closes.
    }
  }
}

export const palette = new Palette();
