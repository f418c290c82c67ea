// Preview of a file before its upload: format, columns, first rows.

import { request } from "./api.js";
import { byId, create, setText, show } from "./dom.js";
import { number } from "./format.js";

const SAMPLE_BYTES = 1 << 20; // sample size of the server
const SHOWN_ROWS = 5;
const MAX_ARCHIVE_BYTES = 64 << 20; // archives are previewed as a whole, up to this size
const ENCODINGS = { "utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", cp1252: "Windows-1252" };
const COMPRESSIONS = { gzip: "gzip-packed ", zip: "zipped " };

/** Shows the preview. Resolves to the obstacle of an upload, if any; rejects if there is no preview. */
export async function preview(file) {
  const previewed = await fetchPreview(file);
  draw(previewed);
  return previewed?.obstacle ?? null;
}

export function onColumnChange(changed) {
  byId("column").addEventListener("change", () => {
    mark();
    changed();
  });
}

/** Clears the preview. */
export function clearPreview() {
  setText(byId("preview"), "");
  for (const id of ["preview-column", "preview-rows"]) show(byId(id), false);
  byId("column").replaceChildren();
  setText(byId("send"), "Label it");
}

async function fetchPreview(file) {
  const send = (body) => {
    const query = new URLSearchParams({ filename: file.name, total_bytes: file.size });
    const headers = { "Content-Type": file.type || "application/octet-stream" };
    return request(`/v1/preview?${query}`, { method: "POST", body, headers });
  };
  try {
    return await send(file.slice(0, SAMPLE_BYTES));
  } catch (error) {
    if (error.code !== "PREVIEW_NEEDS_WHOLE_FILE") throw error;
    return file.size <= MAX_ARCHIVE_BYTES ? send(file) : null;
  }
}

function draw(previewed) {
  if (!previewed) {
    setText(byId("preview"), "The archive is too large for a preview. You can still upload it.");
    return;
  }
  const { format, columns, rows, summary_column, first_rows } = previewed;
  const rowsText = rows.count === null ? "" : ` · ${rows.exact ? "" : "about "}${number(rows.count)} ${rows.count === 1 ? "row" : "rows"}`;
  setText(byId("preview"), `${form(format)} · ${columns.length} ${columns.length === 1 ? "column" : "columns"}${rowsText}`);
  if (rows.count) setText(byId("send"), `Label ${rows.exact ? "" : "about "}${number(rows.count)} ${rows.count === 1 ? "row" : "rows"}`);
  const choose = create("option", { value: "" }, "Choose a column…");
  const named = columns.filter(Boolean).map((name) => create("option", { value: name }, name));
  byId("column").replaceChildren(...(summary_column ? [] : [choose]), ...named);
  byId("column").value = summary_column?.name ?? "";
  setText(byId("column-why"), summary_column ? summary_column.why : "No column name was recognised as the summary; please choose.");
  const head = byId("preview-rows").querySelector("thead tr");
  head.replaceChildren(...columns.map((name) => create("th", { scope: "col" }, name || "(unnamed)")));
  byId("preview-rows").querySelector("tbody").replaceChildren(...first_rows.slice(0, SHOWN_ROWS).map((cells) => create("tr", {}, ...cells.map((cell) => create("td", {}, cell)))));
  show(byId("preview-column"), true);
  show(byId("preview-rows"), first_rows.length);
  mark();
}

function form({ packing, kind, encoding, delimiter_name }) {
  if (kind === "workbook") return "Excel workbook";
  const text = `${delimiter_name ? `${delimiter_name}-separated ` : ""}text in ${ENCODINGS[encoding] ?? encoding}`;
  const whole = `${COMPRESSIONS[packing] ?? ""}${text}`;
  return whole[0].toUpperCase() + whole.slice(1);
}

/** The column that will be labelled stands out among the first rows. */
function mark() {
  const names = [...byId("preview-rows").querySelectorAll("th")].map((cell) => cell.textContent);
  const selected = names.indexOf(byId("column").value);
  for (const row of byId("preview-rows").querySelectorAll("tr")) {
    [...row.cells].forEach((cell, index) => cell.classList.toggle("selected", index === selected));
  }
  const cell = byId("preview-rows").querySelectorAll("th")[selected];
  if (cell) byId("preview-rows").scrollLeft = cell.offsetLeft + cell.offsetWidth - byId("preview-rows").clientWidth;
}
