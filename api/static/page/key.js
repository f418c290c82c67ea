// Sign-in with an API key, which is stored in a cookie that scripts cannot read.

import { byId, showProblem } from "./dom.js";

let pendingKey = null;

/** Resolves when a key was accepted. Concurrent requests share one dialog. */
export function askForKey(reason) {
  pendingKey ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    const form = byId("key-form");
    const problem = byId("key-problem");
    form.onsubmit = async (event) => {
      event.preventDefault();
      try {
        const response = await fetch("/v1/session", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ key: byId("key").value.trim() }),
        });
        if (!response.ok) {
          const body = await response.json().catch(() => null);
          showProblem(problem, body?.detail ?? "This key is not accepted.");
          byId("key").select();
          return;
        }
      } catch {
        showProblem(problem, "The server does not answer at the moment; try again.");
        return;
      }
      form.reset();
      showProblem(problem);
      pendingKey = null;
      dialog.close();
      resolve();
    };
    byId("key-reason").textContent = reason ?? "This server requires an API key.";
    // Without a key there is nothing to see, so Escape does not close it.
    dialog.oncancel = (event) => event.preventDefault();
    dialog.showModal();
  });
  return pendingKey;
}
