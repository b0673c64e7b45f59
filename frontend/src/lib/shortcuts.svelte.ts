/**
 * Keys that do something on the page. Single letters count only outside of fields, and can be
 * turned off (WCAG 2.1.4): speech input and slips of the hand press them too.
 */

export interface Shortcut {
  /** As `KeyboardEvent.key`; `alt` asks for the Alt key with it. */
  key: string;
  alt?: boolean;
  does: string;
  run: () => void;
}

const STORED = "eqtrade.shortcuts";

function stored(): boolean {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

class Shortcuts {
  on = $state(stored());
  listed = $state.raw<readonly Shortcut[]>([]);

  /** Adds these while a component lives; returns how to remove them. */
  add(...more: Shortcut[]): () => void {
    this.listed = [...this.listed, ...more];
    return () => (this.listed = this.listed.filter((each) => !more.includes(each)));
  }

  turn(on: boolean): void {
    this.on = on;
    try {
      localStorage.setItem(STORED, on ? "on" : "off");
    } catch {
      // It then lasts until the page closes.
    }
  }

  pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.isComposing) return;
    // A dialog has its own keys, Escape above all.
    if (event.target instanceof Element && event.target.closest("dialog[open]") !== null) return;
    if (!event.altKey && (!this.on || isTyping(event.target))) return;
    // The latest added wins: a page's own key before one that counts everywhere.
    const found = this.listed.findLast(
      (each) => (each.alt ?? false) === event.altKey && matches(each, event),
    );
    if (found === undefined) return;
    event.preventDefault();
    found.run();
  }
}

function matches(shortcut: Shortcut, event: KeyboardEvent): boolean {
  // With Alt some keyboards type another character, so the digit's place counts.
  return event.key === shortcut.key || (event.altKey && event.code === `Digit${shortcut.key}`);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input:not([type=checkbox],[type=radio]),select,textarea") !== null)
  );
}

export const shortcuts = new Shortcuts();
