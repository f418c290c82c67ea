// Past catalogues, newest first.

import { ask } from "./api.js";
import { at, complain, make, show } from "./dom.js";
import { moment, number } from "./format.js";
import { STATES, tone } from "./states.js";

const PAGE = 10;
let next = null;

export async function listCatalogues() {
  const found = await page(null);
  if (found) {
    at("catalogues").tBodies[0].replaceChildren(...found.map(line));
    show(at("no-catalogues"), !found.length);
    show(at("catalogues"), found.length);
  }
}

export function watchCatalogues() {
  at("more-catalogues").addEventListener("click", async () => {
    const found = await page(next);
    if (!found) return;
    const lines = found.map(line);
    at("catalogues").tBodies[0].append(...lines);
    lines[0]?.querySelector("a").focus(); // the button may be gone
  });
}

async function page(after) {
  const query = new URLSearchParams({ limit: PAGE, ...(after && { after }) });
  try {
    const list = await ask(`/v1/jobs?${query}`);
    complain(at("catalogues-problem"));
    next = list.next;
    show(at("more-catalogues"), next);
    return list.jobs;
  } catch (error) {
    complain(at("catalogues-problem"), error.message);
    return null;
  }
}

function line(job) {
  const { total, labelled, failed } = job.row_counts;
  const done = labelled + failed;
  const row = make("tr");
  row.append(
    make("th", { scope: "row" }, make("a", { href: `#/catalogue/${job.id}` }, job.filename)),
    cell("State", make("span", { className: `badge ${tone(job)}` }, STATES[job.state].short)),
    cell("Rows", done < total ? `${number(done)} of ${number(total)}` : number(total)),
    cell("Sent", moment(job.created_at)),
    cell("Result", download(job)),
  );
  return row;
}

function cell(name, content) {
  // The name stands before the value where a phone shows rows as blocks.
  return make("td", { "data-name": name }, content ?? "–");
}

function download(job) {
  if (!job.links.result) return null;
  return make("a", { href: job.links.result, ariaLabel: `Download ${job.filename}` }, "Download");
}
