// Each genre has a colour of its own: the spine of its books.

import { request } from "./api.js";

const COLOURS = 10;
const colours = new Map();
let genresRequest = null;

/** The model's genres, in alphabetical order; empty while no worker has reported any. */
export function modelGenres() {
  genresRequest ??= request("/v1/model")
    .then(({ labels }) => [...labels].sort())
    .catch(() => {
      genresRequest = null; // the next call tries again
      return [];
    })
    .then((labels) => {
      for (const label of labels) spine(label);
      return labels;
    });
  return genresRequest;
}

/** The colour index of a genre; always the same for one genre. */
export function spine(genre) {
  if (!colours.has(genre)) colours.set(genre, colours.size % COLOURS);
  return String(colours.get(genre));
}
