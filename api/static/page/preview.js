// Preview of a file before its upload: format, columns, first rows.

import { ask } from "./api.js";
import { at, make, say, show } from "./dom.js";
import { number } from "./format.js";

const BEGINNING = 1 << 20; // sample size of the server
const SHOWN = 5;
const MOST = 64 << 20; // archives are previewed as a whole, up to this size
const ENCODINGS = { "utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", cp1252: "Windows-1252" };
const PACKINGS = { gzip: "gzip-packed ", zip: "zipped " };

/** Shows the preview. Resolves to the obstacle of an upload, if any; rejects if there is no preview. */
export async function preview(file) {
  const seen = await look(file);
  draw(seen);
  return seen?.obstacle ?? null;
}

export function watchColumn(changed) {
  at("column").addEventListener("change", () => {
    mark();
    changed();
  });
}

/** Clears the preview. */
export function clearPreview() {
  say(at("seen"), "");
  for (const id of ["seen-column", "seen-rows"]) show(at(id), false);
  at("column").replaceChildren();
  say(at("send"), "Label it");
}

async function look(file) {
  const question = (body) => {
    const query = new URLSearchParams({ filename: file.name, total_bytes: file.size });
    const headers = { "Content-Type": file.type || "application/octet-stream" };
    return ask(`/v1/preview?${query}`, { method: "POST", body, headers });
  };
  try {
    return await question(file.slice(0, BEGINNING));
  } catch (error) {
    if (error.code !== "PREVIEW_NEEDS_WHOLE_FILE") throw error;
    return file.size <= MOST ? question(file) : null;
  }
}

function draw(seen) {
  if (!seen) {
    say(at("seen"), "The archive is too large to look into beforehand. It can be sent as it is.");
    return;
  }
  const { format, columns, rows, summary_column, first_rows } = seen;
  const rowsText = rows.count === null ? "" : ` · ${rows.exact ? "" : "about "}${number(rows.count)} ${rows.count === 1 ? "row" : "rows"}`;
  say(at("seen"), `${form(format)} · ${columns.length} ${columns.length === 1 ? "column" : "columns"}${rowsText}`);
  if (rows.count) say(at("send"), `Label ${rows.exact ? "" : "about "}${number(rows.count)} ${rows.count === 1 ? "row" : "rows"}`);
  const choose = make("option", { value: "" }, "Choose a column…");
  const named = columns.filter(Boolean).map((name) => make("option", { value: name }, name));
  at("column").replaceChildren(...(summary_column ? [] : [choose]), ...named);
  at("column").value = summary_column?.name ?? "";
  say(at("column-why"), summary_column ? summary_column.why : "No column name was recognised as the summary; please choose.");
  const head = at("seen-rows").querySelector("thead tr");
  head.replaceChildren(...columns.map((name) => make("th", { scope: "col" }, name || "(unnamed)")));
  at("seen-rows").querySelector("tbody").replaceChildren(...first_rows.slice(0, SHOWN).map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell)))));
  show(at("seen-column"), true);
  show(at("seen-rows"), first_rows.length);
  mark();
}

function form({ packing, kind, encoding, delimiter_name }) {
  if (kind === "workbook") return "Excel workbook";
  const text = `${delimiter_name ? `${delimiter_name}-separated ` : ""}text in ${ENCODINGS[encoding] ?? encoding}`;
  const whole = `${PACKINGS[packing] ?? ""}${text}`;
  return whole[0].toUpperCase() + whole.slice(1);
}

/** The column that will be labelled stands out among the first rows. */
function mark() {
  const names = [...at("seen-rows").querySelectorAll("th")].map((cell) => cell.textContent);
  const picked = names.indexOf(at("column").value);
  for (const row of at("seen-rows").querySelectorAll("tr")) {
    [...row.cells].forEach((cell, index) => cell.classList.toggle("picked", index === picked));
  }
  const cell = at("seen-rows").querySelectorAll("th")[picked];
  if (cell) at("seen-rows").scrollLeft = cell.offsetLeft + cell.offsetWidth - at("seen-rows").clientWidth;
}
