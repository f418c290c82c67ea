// Review of a finished catalogue: filtered rows, page by page, rows that need review first.

import { askPatiently, jobPath } from "./api.js";
import { at, complain, make, say, show } from "./dom.js";
import { percent, rows } from "./format.js";
import { rowItem } from "./row.js";
import { modelGenres } from "./spines.js";

const PAGE = 20;
const SEARCH_PAUSE_MS = 350;
let job = null;
let next = null;
let looking = new AbortController();

export async function startReview(ended, signal) {
  job = ended;
  const genres = new Set([...(await modelGenres()), ...Object.keys(job.genre_counts)]);
  if (signal.aborted) return;
  signal.addEventListener("abort", () => looking.abort(), { once: true });
  const all = make("option", { value: "" }, "any genre");
  at("review-genre").replaceChildren(all, ...[...genres].sort().map((genre) => make("option", {}, genre)));
  at("review-form").reset();
  show(at("review"), true);
  await look();
}

export function watchReview() {
  let typing = 0;
  at("review-form").addEventListener("submit", (event) => event.preventDefault());
  at("review-form").addEventListener("change", (event) => {
    if (event.target !== at("review-search")) look();
  });
  at("review-search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(look, SEARCH_PAUSE_MS);
  });
  at("more-rows").addEventListener("click", () => lookOn(at("review-rows").children.length));
  addEventListener("row-corrected", (event) => showCorrections(event.detail));
}

async function look() {
  looking.abort();
  looking = new AbortController();
  next = null;
  at("review-rows").replaceChildren();
  await lookOn(0);
}

/** Requests pages until one is full or the catalogue ends; a huge one takes several requests. */
async function lookOn(shown) {
  const { signal } = looking;
  const wanted = shown + PAGE;
  const list = at("review-rows");
  show(at("more-rows"), false);
  say(at("review-state"), "Looking for rows.");
  try {
    do {
      const found = await askPatiently(jobPath(job.id, `/rows?${query(wanted - list.children.length)}`), { signal });
      list.append(...found.rows.map((row) => rowItem(job, row, found)));
      next = found.next;
      showCorrections(found.corrections);
      if (next) say(at("review-state"), `Looked through ${percent(found.read)} of the catalogue.`);
    } while (next && list.children.length < wanted);
  } catch (error) {
    if (error.name !== "AbortError") complain(at("review-problem"), error.message);
    return;
  }
  complain(at("review-problem"));
  const count = list.children.length;
  say(at("review-state"), count ? `${next ? "The first " : ""}${rows(count)}.` : nothing());
  show(at("more-rows"), next);
  if (shown) list.children[shown]?.querySelector("h3").focus();
}

function query(limit) {
  const form = new FormData(at("review-form"));
  const chosen = { filter: form.get("filter"), genre: form.get("genre"), search: form.get("search").trim() };
  const given = Object.entries(chosen).filter(([, value]) => value);
  return new URLSearchParams([...given, ["limit", limit], ...(next ? [["after", next]] : [])]);
}

function nothing() {
  const isFirst = new FormData(at("review-form")).get("filter") === "needs_review";
  return isFirst ? "No row needs review." : "No row matches.";
}

function showCorrections(count) {
  show(at("corrections"), count);
  say(at("corrections-count"), `${rows(count)} corrected or confirmed by you; the download has them.`);
  at("training-data").href = jobPath(job.id, "/corrections");
}
