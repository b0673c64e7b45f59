import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { LastingSocket } from "../src/lib/live/socket";
import { FakeSocket } from "./fake-socket";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  FakeSocket.all = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function connected() {
  const events = { opened: vi.fn(), received: vi.fn(), lost: vi.fn(), quiet: vi.fn(), probe: vi.fn() };
  const socket = new LastingSocket("ws://desk/", events);
  socket.connect();
  FakeSocket.last.accept();
  return { socket, events };
}

it("comes back after a loss, and waits longer while the server stays away", () => {
  const { events } = connected();
  FakeSocket.last.close();
  expect(events.lost).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(375);
  expect(FakeSocket.all).toHaveLength(2);
  FakeSocket.last.close();
  vi.advanceTimersByTime(375);
  expect(FakeSocket.all).toHaveLength(2);
  vi.advanceTimersByTime(200);
  expect(FakeSocket.all).toHaveLength(3);
  FakeSocket.last.accept();
  expect(events.opened).toHaveBeenCalledTimes(2);
});

it.each([1012, 1013])("comes back at any moment within seconds after %i: so do all others", (code) => {
  connected();
  FakeSocket.last.close(code);
  vi.advanceTimersByTime(1_499);
  expect(FakeSocket.all).toHaveLength(1);
  vi.advanceTimersByTime(2);
  expect(FakeSocket.all).toHaveLength(2);
});

it("probes a silent connection and gives it up without an answer", () => {
  const { events } = connected();
  const silent = FakeSocket.last;
  vi.advanceTimersByTime(30_000);
  expect(events.probe).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(10_000);
  expect(events.lost).toHaveBeenCalledTimes(1);
  expect(silent.readyState).toBe(3);
});

it("tells of a short silence once, and keeps the connection", () => {
  const { events } = connected();
  vi.advanceTimersByTime(4_999);
  FakeSocket.last.say({});
  vi.advanceTimersByTime(4_999);
  expect(events.quiet).not.toHaveBeenCalled();
  vi.advanceTimersByTime(20_000);
  expect(events.quiet).toHaveBeenCalledTimes(1);
  expect(events.lost).not.toHaveBeenCalled();
});

it("gives an open connection up when the network is gone, and comes back", () => {
  const { socket, events } = connected();
  socket.interrupt();
  expect(events.lost).toHaveBeenCalledTimes(1);
  socket.interrupt();
  expect(events.lost).toHaveBeenCalledTimes(1);
  socket.hurry();
  FakeSocket.last.accept();
  expect(events.opened).toHaveBeenCalledTimes(2);
});

it("keeps a connection that answers", () => {
  const { events } = connected();
  events.probe.mockImplementation(() => FakeSocket.last.say({}));
  vi.advanceTimersByTime(600_000);
  expect(events.lost).not.toHaveBeenCalled();
});

it("does not wait for ever for a handshake", () => {
  const events = { opened: vi.fn(), received: vi.fn(), lost: vi.fn(), quiet: vi.fn(), probe: vi.fn() };
  new LastingSocket("ws://desk/", events).connect();
  vi.advanceTimersByTime(10_000);
  expect(events.lost).toHaveBeenCalledTimes(1);
});

it("hurries when the network is back, but never opens two", () => {
  const { socket } = connected();
  socket.hurry();
  expect(FakeSocket.all).toHaveLength(1);
  FakeSocket.last.close();
  socket.hurry();
  expect(FakeSocket.all).toHaveLength(2);
  vi.advanceTimersByTime(5_000);
  expect(FakeSocket.all).toHaveLength(2);
});

it("stays closed once closed", () => {
  const { socket, events } = connected();
  socket.close();
  socket.hurry();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(events.lost).not.toHaveBeenCalled();
});
