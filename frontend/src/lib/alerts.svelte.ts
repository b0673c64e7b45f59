/**
 * What the user's alerts tell, on this page: the server says it once to each page until it is seen.
 * A sound and the browser's own notification come once for all pages of this browser.
 */

import type { Alert, AlertWanted, Firing } from "./answers/alerts";
import { fetchFired, seeFirings } from "./api/alerts";
import { keep, kept } from "./kept";
import type { LiveBlotter } from "./live/store.svelte";
import { router } from "./router.svelte";
import { beep, wakeSound } from "./sound";

const SOUND = "alerts.sound";
const NOTIFIES = "alerts.notifies";
/** How long a toast stays, in ms; what it told stays in the bell until it is seen. */
const SHOWN_FOR = 15_000;
/** How long another page of this browser has to take a sound for its own, in ms. */
const HELD_FOR = 3_000;

export type Permission = "unsupported" | "default" | "granted" | "denied";

/** What the form begins with; `changed`: that alert is to be changed. */
export type Asked = Partial<AlertWanted> & { changed?: Alert };

/** A row that somebody wants to look at. */
export interface Place {
  account: string | null;
  ticker: string | null;
  trade: string | null;
}

export const NOWHERE: Place = { account: null, ticker: null, trade: null };

class Alerts {
  /** Newest first. */
  unseen = $state.raw<readonly Firing[]>([]);
  toasts = $state.raw<readonly Firing[]>([]);
  /** How often something of alerts changed: who lists them looks again. */
  turns = $state(0);
  /** The dialog is open, with this filled in. */
  asked = $state.raw<Asked | null>(null);
  /** Where a link of a toast leads; the page that shows it takes it. */
  wanted = $state.raw<Place | null>(null);
  problem = $state("");

  hasSound = $state(false);
  #notifies = $state(false);
  permission = $state<Permission>("unsupported");

  /** Whether the browser tells, too. */
  get notifies(): boolean {
    return this.#notifies && this.permission === "granted";
  }

  start(live: LiveBlotter): () => void {
    this.hasSound = kept(SOUND) === true;
    this.#notifies = kept(NOTIFIES) === true;
    this.permission = "Notification" in window ? Notification.permission : "unsupported";
    if (this.hasSound) wakeSound();
    return live.onChange((change) => {
      if (change.kind === "alert") this.#heard(change.firing);
    });
  }

  #heard(firing: Firing): void {
    this.turns += 1;
    if (firing.seen_at !== null) {
      this.#drop([firing.id]);
      return;
    }
    // It is told again to who may have missed it.
    if (this.unseen.some(({ id }) => id === firing.id)) return;
    this.unseen = [firing, ...this.unseen].sort((a, b) => (a.id < b.id ? 1 : -1));
    this.toasts = [firing, ...this.toasts];
    setTimeout(() => this.dismiss(firing.id), SHOWN_FOR);
    void this.#tellOnce(firing);
  }

  /** One page of this browser makes the sound and the notification. */
  async #tellOnce(firing: Firing): Promise<void> {
    if (!this.hasSound && !this.notifies) return;
    if (navigator.locks === undefined) this.#tell(firing);
    else
      await navigator.locks.request(`eqtrade.alert.${firing.id}`, { ifAvailable: true }, async (lock) => {
        if (lock === null) return;
        this.#tell(firing);
        await new Promise((resolve) => setTimeout(resolve, HELD_FOR));
      });
  }

  #tell(firing: Firing): void {
    if (this.hasSound) beep();
    if (!this.notifies || document.hasFocus()) return;
    const told = new Notification("eqtrade", { body: firing.text, tag: firing.id });
    told.onclick = () => {
      window.focus();
      this.show(firing);
      told.close();
    };
  }

  /** The toast goes; it is not seen by that. */
  dismiss(id: string): void {
    this.toasts = this.toasts.filter((each) => each.id !== id);
  }

  #drop(ids: readonly string[]): void {
    this.unseen = this.unseen.filter(({ id }) => !ids.includes(id));
    this.toasts = this.toasts.filter(({ id }) => !ids.includes(id));
  }

  async see(ids: readonly string[]): Promise<void> {
    this.problem = "";
    try {
      await seeFirings([...ids]);
      this.#drop(ids);
      this.turns += 1;
    } catch {
      this.problem = "The server did not take it: try again.";
    }
  }

  /** Goes to the row that it is about, and counts as seen. */
  show(firing: Firing): void {
    const { account, ticker, trade } = firing;
    this.wanted = { account, ticker, trade };
    router.go(pathOf(firing));
    void this.see([firing.id]);
  }

  /** The place on this page to look at, once: the page before may still be there. */
  take(path: string): Place | null {
    const place = this.wanted;
    if (place === null || pathOf(place) !== path) return null;
    this.wanted = null;
    return place;
  }

  turnSound(isOn: boolean): void {
    this.hasSound = isOn;
    keep(SOUND, isOn ? true : null);
    if (isOn) {
      wakeSound();
      beep();
    }
  }

  /** Only after a click: browsers ask nothing of who was not asked for it. */
  async turnNotifications(isOn: boolean): Promise<void> {
    if (isOn && this.permission === "default") this.permission = await Notification.requestPermission();
    this.#notifies = isOn && this.permission === "granted";
    keep(NOTIFIES, this.#notifies ? true : null);
  }

  history(): Promise<Firing[]> {
    return fetchFired();
  }
}

export const pathOf = ({ account }: Pick<Place, "account">): string => (account === null ? "/prices/" : "/");

export const alerts = new Alerts();
