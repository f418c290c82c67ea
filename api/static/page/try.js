// Labels one summary, and shows the most influential words.

import { ask } from "./api.js";
import { at, complain, make, say, show } from "./dom.js";
import { percent } from "./format.js";
import { spine } from "./spines.js";

const EXAMPLE =
  "The lighthouse keeper's daughter finds a ledger in which somebody has written down, years ahead, the date " +
  "of every shipwreck on the coast. The last entry bears her own name. While the inspector from the city laughs " +
  "at it, the first of the listed ships runs aground, and the harbour master is found dead beside the ledger's lock.";

export function watchTry() {
  at("try-example").addEventListener("click", () => {
    at("try-summary").value = EXAMPLE;
    at("try-summary").focus();
  });
  at("try-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    at("try-button").disabled = true;
    complain(at("try-problem"));
    try {
      const json = { summaries: [at("try-summary").value], evidence: true };
      const { labels } = await ask("/v1/label", { method: "POST", json });
      draw(labels[0]);
    } catch (error) {
      show(at("try-answer"), false);
      complain(at("try-problem"), error.message);
    } finally {
      at("try-button").disabled = false;
    }
  });
}

function draw(label) {
  show(at("try-answer"), true);
  show(at("try-why"), label.evidence.length);
  say(at("try-title"), label.predicted_genre ?? "No genre");
  at("try-title").dataset.spine = label.predicted_genre ? spine(label.predicted_genre) : "";
  say(at("try-doubt"), label.row_error ? label.message : sentence(label));
  const heaviest = Math.max(...label.evidence.map(({ weight }) => weight));
  at("try-words").replaceChildren(...label.evidence.map((word) => weighed(word, heaviest)));
  at("try-title").focus();
}

function sentence({ confidence, second_genre, second_confidence, genre_set, needs_review }) {
  const sure = `The model is ${percent(confidence)} sure; ${second_genre} is next with ${percent(second_confidence)}.`;
  const among = genre_set.length > 1 ? ` The right genre is most likely among ${genre_set.join(", ")}.` : "";
  return sure + among + (needs_review ? " A person should look at this one." : "");
}

function weighed({ word, weight }, heaviest) {
  const bar = make("span", { className: "weight", ariaHidden: "true" });
  bar.style.setProperty("inline-size", `${(100 * weight) / heaviest}%`);
  return make("li", {}, make("span", {}, word), make("span", { className: "track" }, bar), make("span", { className: "share" }, percent(weight)));
}
