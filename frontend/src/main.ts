import "./app.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { read } from "./lib/answers/base";
import { boot } from "./lib/answers/desk";
import { Desk } from "./lib/desk.svelte";

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}.`);
  return found;
}

const target = element("app");
// The server knows its own addresses; the template passes those that are not part of the API.
const places = {
  login: target.dataset["login"] ?? "/login/",
  logout: target.dataset["logout"] ?? "/logout/",
  password: target.dataset["password"] ?? "/password/",
  tokens: target.dataset["tokens"] ?? "/tokens/",
  // Where nobody has one there is no page for it.
  secondFactor: target.dataset["secondFactor"] ?? "",
  admin: target.dataset["admin"] ?? "/admin/",
  docs: target.dataset["docs"] ?? "/api/v1/docs/",
};
const desk = new Desk(read(boot, JSON.parse(element("boot").textContent ?? ""), "boot"), places);
mount(App, { target, props: { desk } });
