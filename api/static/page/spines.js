// Each genre has a colour of its own: the spine of its books.

import { ask } from "./api.js";

const COLOURS = 10;
const known = new Map();
let asked = null;

/** The model's genres, in alphabetical order; empty while no worker has reported any. */
export function modelGenres() {
  asked ??= ask("/v1/model")
    .then(({ labels }) => [...labels].sort())
    .catch(() => {
      asked = null; // perhaps the next time
      return [];
    })
    .then((labels) => {
      for (const label of labels) spine(label);
      return labels;
    });
  return asked;
}

/** The colour index of a genre; always the same for one genre. */
export function spine(genre) {
  if (!known.has(genre)) known.set(genre, known.size % COLOURS);
  return String(known.get(genre));
}
