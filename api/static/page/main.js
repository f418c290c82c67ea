// Routing: the URL selects one of three views, so that reloads and bookmarks keep it.

import { follow, watchCatalogue } from "./catalogue.js";
import { listCatalogues, watchCatalogues } from "./catalogues.js";
import { watchConnection } from "./connection.js";
import { at, show } from "./dom.js";
import { watchReview } from "./review.js";
import { modelGenres } from "./spines.js";
import { watchTry } from "./try.js";
import { reset, watchUpload } from "./upload.js";

const VIEWS = ["home", "try", "catalogue"];
let leaving = new AbortController();

function go({ first = false } = {}) {
  const [, view = "home", id] = location.hash.match(/^#\/(try|catalogue)(?:\/(job_[0-9a-f]{32}))?$/) ?? [];
  leaving.abort();
  leaving = new AbortController();
  const wanted = view === "catalogue" && !id ? "home" : view;
  for (const name of VIEWS) show(at(name), name === wanted);
  for (const link of document.querySelectorAll("nav a")) {
    link.ariaCurrent = link.dataset.view === wanted ? "page" : null;
    // A catalogue is below the list of all.
    if (wanted === "catalogue" && link.dataset.view === "home") link.ariaCurrent = "true";
  }
  document.title = wanted === "try" ? "Try a summary · Spinelabel" : "Spinelabel";
  if (wanted === "home") {
    reset();
    listCatalogues();
  }
  if (wanted === "catalogue") follow(id, leaving.signal);
  if (first) return;
  scrollTo(0, 0);
  at(wanted).querySelector("h1").focus();
}

at("skip").addEventListener("click", (event) => {
  event.preventDefault(); // its URL is no view
  at("main").focus();
});
watchConnection();
watchUpload();
watchCatalogues();
watchCatalogue();
watchReview();
watchTry();
addEventListener("hashchange", () => go());
modelGenres();
go({ first: true });
