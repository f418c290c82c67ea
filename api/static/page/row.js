// One row under review: the predicted genre and its correction.

import { jobPath, requestWithRetry } from "./api.js";
import { byId, create, setText } from "./dom.js";
import { percent } from "./format.js";
import { modelGenres, spine } from "./spines.js";

const CHOICES = 3;
const LANGUAGES = new Intl.DisplayNames("en", { type: "language" });
const ERRORS = {
  EMPTY_SUMMARY: "The summary has no words that the model can read.",
  MALFORMED_ROW: "The row's cells are shifted or missing.",
  SUMMARY_TOO_LONG: "The summary is too long for the model.",
  UNSUPPORTED_LANGUAGE: "The summary is not in English, which is all that the model reads.",
  MODEL_REJECTED: "The model refused this summary.",
  PROCESSING_FAILED: "Labelling failed several times here; send these rows again.",
};

export function rowItem(job, row, { columns, title_column, summary_column }) {
  const title = (title_column !== null && row.cells[title_column]) || `Row ${row.row}`;
  const summary = row.cells[summary_column];
  return create(
    "li",
    { className: "row" },
    create("h3", { tabIndex: -1 }, title),
    create("p", { className: "row-number" }, `row ${row.row}`),
    create("p", { className: "excerpt" }, summary || "(no summary)"),
    create("p", { className: "opinion" }, opinion(row)),
    choices(job, row, title),
    create("details", {}, create("summary", {}, "Whole row"), cells(columns, row.cells)),
  );
}

function opinion(row) {
  if (row.row_error) return error(row);
  const second = row.second_genre ? `, else ${row.second_genre} (${percent(row.second_confidence)})` : "";
  return `The model says ${row.predicted_genre} (${percent(row.confidence)})${second}.`;
}

function error({ row_error, row_error_detail }) {
  if (row_error === "UNSUPPORTED_LANGUAGE" && row_error_detail) {
    return `The summary is in ${LANGUAGES.of(row_error_detail)}; the model reads English only.`;
  }
  return ERRORS[row_error] ?? row_error;
}

function cells(columns, values) {
  return create(
    "dl",
    {},
    ...columns.flatMap((column, index) => [create("dt", {}, column || "(unnamed)"), create("dd", {}, values[index] || "–")]),
  );
}

function choices(job, row, title) {
  const likely = [...new Set([row.predicted_genre, row.second_genre, ...row.genre_set])].filter(Boolean).slice(0, CHOICES);
  const group = create("div", { className: "choices", role: "group", ariaLabel: `Genre of ${title}` });
  const select = create("select", { ariaLabel: `Another genre for ${title}` });
  const state = { genre: row.corrected_genre, saving: false };
  const choose = (genre) => save(job, row, state, genre, draw);

  function draw() {
    for (const button of group.querySelectorAll("button")) {
      button.ariaPressed = String(button.value === state.genre);
    }
    select.value = state.genre && !likely.includes(state.genre) ? state.genre : "";
    select.classList.toggle("chosen", Boolean(select.value));
    group.classList.toggle("saving", state.saving);
  }

  const buttons = likely.map((genre) => {
    const button = create("button", { type: "button", value: genre, className: "choice", "data-spine": spine(genre) }, genre);
    // Pressing a choice again removes it.
    button.addEventListener("click", () => choose(state.genre === genre ? null : genre));
    return button;
  });
  select.addEventListener("change", () => choose(select.value || null));
  group.append(...buttons, select);
  modelGenres().then((genres) => {
    const others = new Set([...genres.filter((genre) => !likely.includes(genre)), state.genre].filter(Boolean));
    const first = create("option", { value: "" }, likely.length ? "another…" : "choose…");
    select.replaceChildren(first, ...[...others].filter((genre) => !likely.includes(genre)).map((genre) => create("option", {}, genre)));
    draw();
  });
  return group;
}

async function save(job, row, state, genre, draw) {
  const before = state.genre;
  Object.assign(state, { genre, saving: true });
  draw();
  const path = jobPath(job.id, `/corrections/${row.row}`);
  try {
    const stored = genre
      ? await requestWithRetry(path, { method: "PUT", json: { genre } })
      : await requestWithRetry(path, { method: "DELETE" });
    setText(byId("saved"), genre ? `Row ${row.row}: corrected to ${genre}.` : `Row ${row.row}: correction removed.`);
    if (stored) dispatchEvent(new CustomEvent("row-corrected", { detail: stored.corrections }));
  } catch (error) {
    state.genre = before;
    setText(byId("saved"), error.message);
  } finally {
    state.saving = false;
    draw();
  }
}
