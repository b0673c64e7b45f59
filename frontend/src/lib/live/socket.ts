/**
 * One websocket that keeps coming back.
 *
 * It knows nothing of rows. A connection can die without a word (a sleeping laptop, a proxy), so a
 * short silence is told of, and after a long one it asks `probe` to send something that the server
 * must answer; without an answer it hangs up and connects again.
 */

import { delay } from "./backoff";

/** While it can read, the server says within 4 s that what it told still holds. Silence (ms) after
 * which nobody knows, the one after which the connection is probed, and how long an answer may take. */
const QUIET = 5_000;
const SILENCE = 30_000;
const ANSWER = 10_000;

export interface SocketEvents {
  opened(): void;
  received(text: string): void;
  /** `retryAt` is the local time in ms of the next attempt. */
  lost(retryAt: number): void;
  /** Nothing came for too long to say that what is known still holds; `received` ends it. */
  quiet(): void;
  /** Called after a silence: send something that is answered. */
  probe(): void;
}

export class LastingSocket {
  #socket: WebSocket | null = null;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly address: string,
    private readonly events: SocketEvents,
  ) {}

  connect(): void {
    clearTimeout(this.#retry);
    this.#closed = false;
    const socket = new WebSocket(this.address);
    this.#socket = socket;
    // A server that accepts but never finishes the handshake must not hold the page up.
    this.#watch = setTimeout(() => this.#drop(socket), ANSWER);
    socket.onopen = () => {
      this.#listen(socket);
      this.events.opened();
    };
    socket.onmessage = (message) => {
      this.#attempt = 0;
      this.#listen(socket);
      this.events.received(String(message.data));
    };
    socket.onclose = ({ code }) => this.#drop(socket, code);
  }

  /** Sends if connected; otherwise does nothing, because `opened` starts afresh anyway. */
  send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** The browser says that the network is gone: the connection may be dead, and says nothing. */
  interrupt(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#drop(this.#socket);
  }

  /** Does not wait for the next attempt, for example when the network is back. */
  hurry(): void {
    if (this.#socket === null && !this.#closed) this.connect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#watch);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #listen(socket: WebSocket): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      this.#watch = setTimeout(() => {
        this.#watch = setTimeout(() => this.#drop(socket), ANSWER);
        this.events.probe();
      }, SILENCE - QUIET);
      this.events.quiet();
    }, QUIET);
  }

  /** Gives the socket up, once, whoever noticed first, and plans the next attempt. */
  #drop(socket: WebSocket, code?: number): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#watch);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    if (this.#closed) return;
    const wait = delay(this.#attempt++, Math.random(), code);
    this.#retry = setTimeout(() => this.connect(), wait);
    this.events.lost(Date.now() + wait);
  }
}
