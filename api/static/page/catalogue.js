// One catalogue: progress while it is labelled, actions after it has ended.

import { ask, askPatiently, jobPath, pause } from "./api.js";
import { at, complain, make, say, show } from "./dom.js";
import { duration, moment, number, percent, rows, size } from "./format.js";
import { showLatest } from "./latest.js";
import { startReview } from "./review.js";
import { showShelf } from "./shelf.js";
import { modelGenres } from "./spines.js";
import { STATES, hasEnded } from "./states.js";

const AGAIN_MS = 1000;
const FORMATS = ["xlsx", "jsonl", "parquet"];

/** Follows the job until it has ended, through reloads and outages of the server. */
export async function follow(id, signal) {
  clear();
  await modelGenres();
  for (;;) {
    let job;
    try {
      job = await askPatiently(jobPath(id), { signal });
    } catch (error) {
      if (error.name !== "AbortError") lose(error);
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

export function watchCatalogue() {
  watchDeleting();
  at("cancel").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      draw(await ask(button.dataset.path, { method: "POST" }));
      complain(at("job-problem"));
    } catch (error) {
      complain(at("job-problem"), error.message);
    } finally {
      button.disabled = false;
    }
  });
}

function watchDeleting() {
  const dialog = at("delete-dialog");
  at("delete").addEventListener("click", () => {
    complain(at("delete-problem"));
    dialog.showModal();
  });
  at("delete-go").addEventListener("click", async () => {
    try {
      await ask(at("delete").dataset.path, { method: "DELETE" });
      dialog.close();
      location.hash = "#/";
    } catch (error) {
      complain(at("delete-problem"), error.message);
    }
  });
}

function clear() {
  say(at("job-title"), "Catalogue");
  say(at("job-facts"), "");
  say(at("job-state"), "Looking for it.");
  complain(at("job-problem"));
  showShelf({});
  for (const id of ["job-progress", "job-figures", "job-warnings", "job-actions", "genres", "latest", "review"]) {
    show(at(id), false);
  }
}

function lose(error) {
  say(at("job-state"), "There is nothing to show.");
  complain(at("job-problem"), error.message);
}

function draw(job) {
  const { total, labelled, failed } = job.row_counts;
  const ended = hasEnded(job);
  const share = job.total_is_final && total ? (labelled + failed) / total : null;
  say(at("job-title"), job.filename);
  say(at("job-facts"), facts(job));
  say(at("job-state"), job.error ? job.error.message : ended ? ending(job) : `${STATES[job.state].long}.`);
  at("job-state").className = `state ${job.error ? "bad" : ""}`;
  show(at("job-warnings"), job.warnings.length);
  at("job-warnings").replaceChildren(...job.warnings.map(({ message }) => make("li", {}, message)));
  document.title = `${ended || share === null ? "" : `${percent(share)} · `}${job.filename} · Spinelabel`;
  show(at("job-progress"), !ended);
  if (ended) show(at("latest"), false);
  bar(at("job-progress"), share);
  show(at("job-figures"), !ended && total);
  say(at("figure-rows"), `${number(labelled + failed)} of ${number(total)}${job.total_is_final ? "" : " or more"}`);
  say(at("figure-rate"), job.rows_per_second ? `${number(Math.round(job.rows_per_second))} a second` : "–");
  say(at("figure-review"), number(job.needs_review));
  say(at("figure-left"), job.eta_seconds >= 1 ? `about ${duration(job.eta_seconds)}` : "–");
  const genres = job.genre_counts;
  show(at("genres"), labelled);
  say(at("genres-title"), ended ? "Genres" : "Genres so far");
  showShelf(genres);
  actions(job, ended);
}

function facts(job) {
  return [
    size(job.input_bytes),
    `summaries in “${job.summary_column}”`,
    `sent ${moment(job.created_at)}`,
    job.model_version ? `model ${job.model_version}` : null,
  ]
    .filter(Boolean)
    .join(" · ");
}

function ending(job) {
  const { labelled, failed } = job.row_counts;
  const could = failed ? ` ${rows(failed)} could not be.` : "";
  const look = job.needs_review ? ` ${rows(job.needs_review)} to review.` : " No row needs review.";
  return job.state === "completed" ? `Done: ${rows(labelled)} labelled.${could}${look}` : `${STATES[job.state].long}.`;
}

function bar(element, share) {
  if (share === null) element.removeAttribute("value"); // in progress, share unknown
  else element.value = share;
}

function actions(job, ended) {
  show(at("job-actions"), ended || job.links.cancel);
  show(at("delete"), ended);
  at("delete").dataset.path = job.links.self;
  show(at("cancel"), job.links.cancel);
  at("cancel").dataset.path = job.links.cancel ?? "";
  link(at("result"), job.links.result);
  show(at("formats"), job.links.result);
  for (const format of FORMATS) at(`as-${format}`).href = `${job.links.result}?format=${format}`;
  link(at("errors"), job.row_counts.failed ? job.links.errors : null);
}

function link(element, href) {
  show(element, href);
  if (href) element.href = href;
}
