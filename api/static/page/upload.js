// Choosing, previewing and uploading a file.

import { byId, setText, show, showProblem } from "./dom.js";
import { size } from "./format.js";
import { clearPreview, onColumnChange, preview } from "./preview.js";
import { send } from "./sending.js";

let file = null;
let stopping = new AbortController();

export function initUpload() {
  byId("file").addEventListener("change", () => choose(byId("file").files[0]));
  byId("upload").addEventListener("submit", (event) => {
    event.preventDefault();
    if (file) begin();
  });
  byId("forget").addEventListener("click", () => {
    reset();
    byId("file").focus();
  });
  byId("stop").addEventListener("click", () => stopping.abort());
  addEventListener("beforeunload", (event) => {
    if (!byId("sending").hidden) event.preventDefault(); // the file would have to be sent again
  });
  onColumnChange(() => {
    byId("send").disabled = !byId("column").value;
  });
  initDrop();
}

/** Resets the form. */
export function reset() {
  file = null;
  stopping.abort();
  byId("upload").reset();
  clearPreview();
  showProblem(byId("upload-problem"));
  stage("drop");
}

function initDrop() {
  // Anywhere on the page: a file that misses its target must not replace the page.
  const over = (event, wanted) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    byId("drop").classList.toggle("over", wanted && !byId("home").hidden);
  };
  addEventListener("dragover", (event) => over(event, true));
  addEventListener("dragleave", (event) => over(event, false));
  addEventListener("drop", (event) => {
    over(event, false);
    const dropped = event.dataTransfer?.files[0];
    if (dropped && !byId("home").hidden) choose(dropped);
  });
}

async function choose(chosen) {
  if (!chosen) return;
  file = chosen;
  showProblem(byId("upload-problem"));
  setText(byId("chosen-name"), file.name);
  setText(byId("chosen-size"), size(file.size));
  byId("send").disabled = true;
  clearPreview();
  setText(byId("preview"), "Reading the file…");
  stage("chosen");
  byId("chosen-name").focus();
  try {
    const obstacle = await preview(file);
    if (file === chosen) applyObstacle(obstacle);
  } catch (error) {
    if (file !== chosen) return;
    setText(byId("preview"), "");
    refuse(error);
  }
}

/** Without a summary column there is something to choose; what else is in the way is for the file's owner. */
function applyObstacle(obstacle) {
  const chosen = byId("column").value;
  const column = obstacle?.code === "NO_SUMMARY_COLUMN";
  byId("send").disabled = Boolean(obstacle) && !(column && chosen);
  showProblem(byId("upload-problem"), obstacle && !column ? obstacle.message : "");
}

async function begin() {
  stopping = new AbortController();
  stage("sending");
  setText(byId("sending-state"), `Uploading ${file.name}…`);
  byId("sending-progress").removeAttribute("value");
  const column = byId("column").value;
  const onProgress = (sent, total) => {
    byId("sending-progress").value = sent / total;
    setText(byId("sending-figures"), `${size(sent)} of ${size(total)}`);
  };
  try {
    const job = await send(file, column ? { summary_column: column } : {}, { onProgress, signal: stopping.signal });
    reset();
    location.hash = `#/catalogue/${job.id}`;
  } catch (error) {
    stage("chosen");
    if (error) refuse(error);
  }
}

function refuse(error) {
  showProblem(byId("upload-problem"), error.message);
  byId("send").disabled = error.status >= 400 && error.status < 500 && error.status !== 429;
}

function stage(which) {
  for (const name of ["drop", "chosen", "sending"]) show(byId(name), name === which);
}
