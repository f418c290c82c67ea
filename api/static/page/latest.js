// The most recently labelled rows of a running job.

import { ask, jobPath, pause } from "./api.js";
import { at, make, show } from "./dom.js";
import { percent } from "./format.js";
import { spine } from "./spines.js";

const PAUSE_MS = 700;
let due = false;

/** Throttled refresh. A failed request is ignored, since others follow. */
export async function showLatest(id, signal) {
  if (due) return;
  due = true;
  await pause(PAUSE_MS, signal).catch(() => {});
  due = false;
  if (signal.aborted) return;
  const found = await ask(jobPath(id, "/latest"), { signal }).catch(() => null);
  if (!found || signal.aborted) return;
  show(at("latest"), found.rows.length);
  at("latest-rows").replaceChildren(...found.rows.map((row) => line(row, found)));
}

function line(row, { title_column, summary_column }) {
  const name = (title_column !== null && row.cells[title_column]) || row.cells[summary_column];
  return make(
    "li",
    {},
    make("span", { className: "latest-name" }, name || "(empty)"),
    row.predicted_genre
      ? make("span", { className: "genre-tag", "data-spine": spine(row.predicted_genre) }, `${row.predicted_genre} ${percent(row.confidence)}`)
      : make("span", { className: "genre-tag none" }, "no genre"),
  );
}
