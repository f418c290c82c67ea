// Labels one summary, and shows the most influential words.

import { request } from "./api.js";
import { byId, create, setText, show, showProblem } from "./dom.js";
import { percent } from "./format.js";
import { spine } from "./spines.js";

const EXAMPLE =
  "The lighthouse keeper's daughter finds a ledger in which somebody has written down, years ahead, the date " +
  "of every shipwreck on the coast. The last entry bears her own name. While the inspector from the city laughs " +
  "at it, the first of the listed ships runs aground, and the harbour master is found dead beside the ledger's lock.";

export function initTry() {
  byId("try-example").addEventListener("click", () => {
    byId("try-summary").value = EXAMPLE;
    byId("try-summary").focus();
  });
  byId("try-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    byId("try-button").disabled = true;
    showProblem(byId("try-problem"));
    try {
      const json = { summaries: [byId("try-summary").value], evidence: true };
      const { labels } = await request("/v1/label", { method: "POST", json });
      draw(labels[0]);
    } catch (error) {
      show(byId("try-result"), false);
      showProblem(byId("try-problem"), error.message);
    } finally {
      byId("try-button").disabled = false;
    }
  });
}

function draw(label) {
  show(byId("try-result"), true);
  show(byId("try-why"), label.evidence.length);
  setText(byId("try-title"), label.predicted_genre ?? "No genre");
  byId("try-title").dataset.spine = label.predicted_genre ? spine(label.predicted_genre) : "";
  setText(byId("try-confidence"), label.row_error ? label.message : sentence(label));
  const heaviest = Math.max(...label.evidence.map(({ weight }) => weight));
  byId("try-words").replaceChildren(...label.evidence.map((word) => weighed(word, heaviest)));
  byId("try-title").focus();
}

function sentence({ confidence, second_genre, second_confidence, genre_set, needs_review }) {
  const sure = `The model is ${percent(confidence)} sure; ${second_genre} is next with ${percent(second_confidence)}.`;
  const among = genre_set.length > 1 ? ` The genre is most likely one of ${genre_set.join(", ")}.` : "";
  return sure + among + (needs_review ? " Please review it." : "");
}

function weighed({ word, weight }, heaviest) {
  const bar = create("span", { className: "weight", ariaHidden: "true" });
  bar.style.setProperty("inline-size", `${(100 * weight) / heaviest}%`);
  return create("li", {}, create("span", {}, word), create("span", { className: "track" }, bar), create("span", { className: "share" }, percent(weight)));
}
