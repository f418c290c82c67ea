// The connection banner.

import { byId, setText, show } from "./dom.js";

const BACK_MS = 4000;
let unavailable = false;
let timer = 0;

export function initConnection() {
  addEventListener("server-unavailable", () => {
    unavailable = true;
    clearTimeout(timer);
    showBanner("The server does not answer. Nothing is lost: this page continues as soon as the server is back.");
  });
  addEventListener("server-available", () => {
    if (!unavailable) return;
    unavailable = false;
    showBanner("The server is back.");
    timer = setTimeout(showBanner, BACK_MS, "");
  });
}

function showBanner(text) {
  byId("connection").classList.toggle("good", !unavailable);
  show(byId("connection-banner"), text);
  setText(byId("connection"), text);
}
