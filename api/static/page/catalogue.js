// One catalogue: progress while it is labelled, actions after it has ended.

import { jobPath, pause, request, requestWithRetry } from "./api.js";
import { byId, create, setText, show, showProblem } from "./dom.js";
import { duration, moment, number, percent, rows, size } from "./format.js";
import { showLatest } from "./latest.js";
import { startReview } from "./review.js";
import { showShelf } from "./shelf.js";
import { modelGenres } from "./spines.js";
import { hasEnded, STATES } from "./states.js";

const AGAIN_MS = 1000;
const FORMATS = ["xlsx", "jsonl", "parquet"];

/** Follows the job until it has ended, through reloads and outages of the server. */
export async function follow(id, signal) {
  clear();
  await modelGenres();
  for (;;) {
    let job;
    try {
      job = await requestWithRetry(jobPath(id), { signal });
    } catch (error) {
      if (error.name !== "AbortError") showMissing(error);
      return;
    }
    draw(job);
    if (hasEnded(job)) {
      if (job.links.result) startReview(job, signal);
      return;
    }
    await listen(job, signal);
    await pause(AGAIN_MS, signal).catch(() => {});
    if (signal.aborted) return;
  }
}

/** Renders events of the job until the stream closes: the job has ended, or the server is unreachable. */
function listen(job, signal) {
  return new Promise((resolve) => {
    const events = new EventSource(jobPath(job.id, "/events"));
    const listening = new AbortController();
    const end = () => {
      events.close();
      listening.abort();
      signal.removeEventListener("abort", end);
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
    events.addEventListener("job", (event) => {
      draw(JSON.parse(event.data));
      showLatest(job.id, listening.signal);
    });
    events.addEventListener("end", end);
    events.addEventListener("error", end);
  });
}

export function initCatalogue() {
  initDeletion();
  byId("cancel").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      draw(await request(button.dataset.path, { method: "POST" }));
      showProblem(byId("job-problem"));
    } catch (error) {
      showProblem(byId("job-problem"), error.message);
    } finally {
      button.disabled = false;
    }
  });
}

function initDeletion() {
  const dialog = byId("delete-dialog");
  byId("delete").addEventListener("click", () => {
    showProblem(byId("delete-problem"));
    dialog.showModal();
  });
  byId("delete-go").addEventListener("click", async () => {
    try {
      await request(byId("delete").dataset.path, { method: "DELETE" });
      dialog.close();
      location.hash = "#/";
    } catch (error) {
      showProblem(byId("delete-problem"), error.message);
    }
  });
}

function clear() {
  setText(byId("job-title"), "Catalogue");
  setText(byId("job-facts"), "");
  setText(byId("job-state"), "Loading…");
  showProblem(byId("job-problem"));
  showShelf({});
  for (const id of ["job-progress", "job-figures", "job-warnings", "job-actions", "genres", "latest", "review"]) {
    show(byId(id), false);
  }
}

function showMissing(error) {
  setText(byId("job-state"), "This catalogue cannot be shown.");
  showProblem(byId("job-problem"), error.message);
}

function draw(job) {
  const { total, labelled, failed } = job.row_counts;
  const ended = hasEnded(job);
  const share = job.total_is_final && total ? (labelled + failed) / total : null;
  setText(byId("job-title"), job.filename);
  setText(byId("job-facts"), facts(job));
  setText(byId("job-state"), job.error ? job.error.message : ended ? ending(job) : `${STATES[job.state].long}.`);
  byId("job-state").className = `state ${job.error ? "bad" : ""}`;
  show(byId("job-warnings"), job.warnings.length);
  byId("job-warnings").replaceChildren(...job.warnings.map(({ message }) => create("li", {}, message)));
  document.title = `${ended || share === null ? "" : `${percent(share)} · `}${job.filename} · Spinelabel`;
  show(byId("job-progress"), !ended);
  if (ended) show(byId("latest"), false);
  bar(byId("job-progress"), share);
  show(byId("job-figures"), !ended && total);
  setText(byId("figure-rows"), `${number(labelled + failed)} of ${number(total)}${job.total_is_final ? "" : " or more"}`);
  setText(byId("figure-rate"), job.rows_per_second ? `${number(Math.round(job.rows_per_second))} a second` : "–");
  setText(byId("figure-review"), number(job.needs_review));
  setText(byId("figure-left"), job.eta_seconds >= 1 ? `about ${duration(job.eta_seconds)}` : "–");
  const genres = job.genre_counts;
  show(byId("genres"), labelled);
  setText(byId("genres-title"), ended ? "Genres" : "Genres so far");
  showShelf(genres);
  actions(job, ended);
}

function facts(job) {
  return [
    size(job.input_bytes),
    `summaries in “${job.summary_column}”`,
    `uploaded ${moment(job.created_at)}`,
    job.model_version ? `model ${job.model_version}` : null,
  ]
    .filter(Boolean)
    .join(" · ");
}

function ending(job) {
  const { labelled, failed } = job.row_counts;
  const errors = failed ? ` ${rows(failed)} without a genre.` : "";
  const review = job.needs_review ? ` ${rows(job.needs_review)} to review.` : " No row needs review.";
  return job.state === "completed" ? `Done: ${rows(labelled)} labelled.${errors}${review}` : `${STATES[job.state].long}.`;
}

function bar(element, share) {
  if (share === null) element.removeAttribute("value"); // in progress, share unknown
  else element.value = share;
}

function actions(job, ended) {
  show(byId("job-actions"), ended || job.links.cancel);
  show(byId("delete"), ended);
  byId("delete").dataset.path = job.links.self;
  show(byId("cancel"), job.links.cancel);
  byId("cancel").dataset.path = job.links.cancel ?? "";
  link(byId("result"), job.links.result);
  show(byId("formats"), job.links.result);
  for (const format of FORMATS) byId(`as-${format}`).href = `${job.links.result}?format=${format}`;
  link(byId("errors"), job.row_counts.failed ? job.links.errors : null);
}

function link(element, href) {
  show(element, href);
  if (href) element.href = href;
}
