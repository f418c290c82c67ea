// The genre distribution: a shelf whose books are as wide as their share, and the figures below it.

import { byId, create } from "./dom.js";
import { number, percent } from "./format.js";
import { spine } from "./spines.js";

let drawn = "";

export function showShelf(counts) {
  const genres = Object.entries(counts).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const state = JSON.stringify(genres);
  if (state === drawn) return; // a redraw would take the reader's place in the list
  drawn = state;
  const total = genres.reduce((sum, [, count]) => sum + count, 0);
  byId("shelf").replaceChildren(...genres.map(([genre, count]) => book(genre, count / total)));
  byId("genre-list").replaceChildren(...genres.map(([genre, count]) => line(genre, count, total)));
}

function book(genre, share) {
  const element = create("span", { className: "spine", "data-spine": spine(genre), title: genre });
  element.style.setProperty("flex-grow", share);
  return element;
}

function line(genre, count, total) {
  return create(
    "li",
    {},
    create("span", { className: "swatch", "data-spine": spine(genre) }),
    create("span", { className: "genre-name" }, genre),
    create("span", { className: "genre-count" }, `${number(count)} `),
    create("span", { className: "genre-share" }, percent(count / total)),
  );
}
