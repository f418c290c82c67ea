// The connection banner.

import { at, say, show } from "./dom.js";

const BACK_MS = 4000;
let away = false;
let timer = 0;

export function watchConnection() {
  addEventListener("server-away", () => {
    away = true;
    clearTimeout(timer);
    put("The server does not answer. Nothing is lost: this page continues as soon as the server is back.");
  });
  addEventListener("server-answers", () => {
    if (!away) return;
    away = false;
    put("The server is back.");
    timer = setTimeout(put, BACK_MS, "");
  });
}

function put(text) {
  at("connection").classList.toggle("good", !away);
  show(at("connection-banner"), text);
  say(at("connection"), text);
}
