// Each genre has a colour of its own: the spine of its books.

import { ask } from "./api.js";

const COLOURS = 10;
const known = new Map();
let request = null;

/** The model's genres, in alphabetical order; empty while no worker has reported any. */
export function modelGenres() {
  request ??= ask("/v1/model")
    .then(({ labels }) => [...labels].sort())
    .catch(() => {
      request = null; // the next call tries again
      return [];
    })
    .then((labels) => {
      for (const label of labels) spine(label);
      return labels;
    });
  return request;
}

/** The colour index of a genre; always the same for one genre. */
export function spine(genre) {
  if (!known.has(genre)) known.set(genre, known.size % COLOURS);
  return String(known.get(genre));
}
