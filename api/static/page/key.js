// Sign-in with an API key, which is stored in a cookie that scripts cannot read.

import { at, complain } from "./dom.js";

let asking = null;

/** Resolves when a key was accepted. Concurrent requests share one dialog. */
export function askForKey(reason) {
  asking ??= new Promise((resolve) => {
    const dialog = at("key-dialog");
    const form = at("key-form");
    const problem = at("key-problem");
    form.onsubmit = async (event) => {
      event.preventDefault();
      try {
        const response = await fetch("/v1/session", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ key: at("key").value.trim() }),
        });
        if (!response.ok) {
          const body = await response.json().catch(() => null);
          complain(problem, body?.detail ?? "This key is not accepted.");
          at("key").select();
          return;
        }
      } catch {
        complain(problem, "The server does not answer at the moment; try again.");
        return;
      }
      form.reset();
      complain(problem);
      asking = null;
      dialog.close();
      resolve();
    };
    at("key-reason").textContent = reason ?? "This server requires an API key.";
    // Without a key there is nothing to see, so Escape does not close it.
    dialog.oncancel = (event) => event.preventDefault();
    dialog.showModal();
  });
  return asking;
}
