// Past catalogues, newest first.

import { request } from "./api.js";
import { byId, create, show, showProblem } from "./dom.js";
import { moment, number } from "./format.js";
import { STATES, tone } from "./states.js";

const PAGE = 10;
let next = null;

export async function listCatalogues() {
  const jobs = await fetchPage(null);
  if (jobs) {
    byId("catalogues").tBodies[0].replaceChildren(...jobs.map(line));
    show(byId("no-catalogues"), !jobs.length);
    show(byId("catalogues"), jobs.length);
  }
}

export function initCatalogues() {
  byId("more-catalogues").addEventListener("click", async () => {
    const jobs = await fetchPage(next);
    if (!jobs) return;
    const lines = jobs.map(line);
    byId("catalogues").tBodies[0].append(...lines);
    lines[0]?.querySelector("a").focus(); // the button may be gone
  });
}

async function fetchPage(after) {
  const query = new URLSearchParams({ limit: PAGE, ...(after && { after }) });
  try {
    const list = await request(`/v1/jobs?${query}`);
    showProblem(byId("catalogues-problem"));
    next = list.next;
    show(byId("more-catalogues"), next);
    return list.jobs;
  } catch (error) {
    showProblem(byId("catalogues-problem"), error.message);
    return null;
  }
}

function line(job) {
  const { total, labelled, failed } = job.row_counts;
  const done = labelled + failed;
  const row = create("tr");
  row.append(
    create("th", { scope: "row" }, create("a", { href: `#/catalogue/${job.id}` }, job.filename)),
    cell("State", create("span", { className: `badge ${tone(job)}` }, STATES[job.state].short)),
    cell("Rows", done < total ? `${number(done)} of ${number(total)}` : number(total)),
    cell("Uploaded", moment(job.created_at)),
    cell("Result", download(job)),
  );
  return row;
}

function cell(name, content) {
  // The name stands before the value where a phone shows rows as blocks.
  return create("td", { "data-name": name }, content ?? "–");
}

function download(job) {
  if (!job.links.result) return null;
  return create("a", { href: job.links.result, ariaLabel: `Download ${job.filename}` }, "Download");
}
