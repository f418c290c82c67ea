// The most recently labelled rows of a running job.

import { jobPath, pause, request } from "./api.js";
import { byId, create, show } from "./dom.js";
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
  const page = await request(jobPath(id, "/latest"), { signal }).catch(() => null);
  if (!page || signal.aborted) return;
  show(byId("latest"), page.rows.length);
  byId("latest-rows").replaceChildren(...page.rows.map((row) => line(row, page)));
}

function line(row, { title_column, summary_column }) {
  const name = (title_column !== null && row.cells[title_column]) || row.cells[summary_column];
  return create(
    "li",
    {},
    create("span", { className: "latest-name" }, name || "(empty)"),
    row.predicted_genre
      ? create("span", { className: "genre-tag", "data-spine": spine(row.predicted_genre) }, `${row.predicted_genre} ${percent(row.confidence)}`)
      : create("span", { className: "genre-tag none" }, "no genre"),
  );
}
