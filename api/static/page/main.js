// Routing: the URL selects one of three views, so that reloads and bookmarks keep it.

import { follow, initCatalogue } from "./catalogue.js";
import { initCatalogues, listCatalogues } from "./catalogues.js";
import { initConnection } from "./connection.js";
import { byId, show } from "./dom.js";
import { initReview } from "./review.js";
import { modelGenres } from "./spines.js";
import { initTry } from "./try.js";
import { initUpload, reset } from "./upload.js";

const VIEWS = ["home", "try", "catalogue"];
let leaving = new AbortController();

function go({ first = false } = {}) {
  const [, view = "home", id] = location.hash.match(/^#\/(try|catalogue)(?:\/(job_[0-9a-f]{32}))?$/) ?? [];
  leaving.abort();
  leaving = new AbortController();
  const wanted = view === "catalogue" && !id ? "home" : view;
  for (const name of VIEWS) show(byId(name), name === wanted);
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
  byId(wanted).querySelector("h1").focus();
}

byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // its URL is no view
  byId("main").focus();
});
initConnection();
initUpload();
initCatalogues();
initCatalogue();
initReview();
initTry();
addEventListener("hashchange", () => go());
modelGenres();
go({ first: true });
// Stays if a module cannot be loaded: without it the page would be empty then.
show(byId("loading"), false);
