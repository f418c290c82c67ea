// Review of a finished catalogue: filtered rows, page by page, rows that need review first.

import { jobPath, requestWithRetry } from "./api.js";
import { byId, create, setText, show, showProblem } from "./dom.js";
import { percent, rows } from "./format.js";
import { rowItem } from "./row.js";
import { modelGenres } from "./spines.js";

const PAGE = 20;
const SEARCH_PAUSE_MS = 350;
let job = null;
let next = null;
let pending = new AbortController();

export async function startReview(ended, signal) {
  job = ended;
  const genres = new Set([...(await modelGenres()), ...Object.keys(job.genre_counts)]);
  if (signal.aborted) return;
  signal.addEventListener("abort", () => pending.abort(), { once: true });
  const all = create("option", { value: "" }, "any genre");
  byId("review-genre").replaceChildren(all, ...[...genres].sort().map((genre) => create("option", {}, genre)));
  byId("review-form").reset();
  show(byId("review"), true);
  await reload();
}

export function initReview() {
  let typing = 0;
  byId("review-form").addEventListener("submit", (event) => event.preventDefault());
  byId("review-form").addEventListener("change", (event) => {
    if (event.target !== byId("review-search")) reload();
  });
  byId("review-search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(reload, SEARCH_PAUSE_MS);
  });
  byId("more-rows").addEventListener("click", () => loadMore(byId("review-rows").children.length));
  addEventListener("row-corrected", (event) => showCorrections(event.detail));
}

async function reload() {
  pending.abort();
  pending = new AbortController();
  next = null;
  byId("review-rows").replaceChildren();
  await loadMore(0);
}

/** Requests pages until one is full or the catalogue ends; a huge one takes several requests. */
async function loadMore(shown) {
  const { signal } = pending;
  const wanted = shown + PAGE;
  const list = byId("review-rows");
  show(byId("more-rows"), false);
  setText(byId("review-state"), "Searching…");
  try {
    do {
      const page = await requestWithRetry(jobPath(job.id, `/rows?${query(wanted - list.children.length)}`), { signal });
      list.append(...page.rows.map((row) => rowItem(job, row, page)));
      next = page.next;
      showCorrections(page.corrections);
      if (next) setText(byId("review-state"), `Searched ${percent(page.read)} of the catalogue.`);
    } while (next && list.children.length < wanted);
  } catch (error) {
    if (error.name !== "AbortError") showProblem(byId("review-problem"), error.message);
    return;
  }
  showProblem(byId("review-problem"));
  const count = list.children.length;
  setText(byId("review-state"), count ? `${next ? "The first " : ""}${rows(count)}.` : nothing());
  show(byId("more-rows"), next);
  if (shown) list.children[shown]?.querySelector("h3").focus();
}

function query(limit) {
  const form = new FormData(byId("review-form"));
  const chosen = { filter: form.get("filter"), genre: form.get("genre"), search: form.get("search").trim() };
  const given = Object.entries(chosen).filter(([, value]) => value);
  return new URLSearchParams([...given, ["limit", limit], ...(next ? [["after", next]] : [])]);
}

function nothing() {
  const isFirst = new FormData(byId("review-form")).get("filter") === "needs_review";
  return isFirst ? "No row needs review." : "No row matches.";
}

function showCorrections(count) {
  show(byId("corrections"), count);
  setText(byId("corrections-count"), `${rows(count)} corrected or confirmed by you, included in the download.`);
  byId("training-data").href = jobPath(job.id, "/corrections");
}
