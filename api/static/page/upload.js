// Choosing, previewing and uploading a file.

import { at, complain, say, show } from "./dom.js";
import { size } from "./format.js";
import { clearPreview, preview, watchColumn } from "./preview.js";
import { send } from "./sending.js";

let file = null;
let stopping = new AbortController();

export function watchUpload() {
  at("file").addEventListener("change", () => choose(at("file").files[0]));
  at("upload").addEventListener("submit", (event) => {
    event.preventDefault();
    if (file) begin();
  });
  at("forget").addEventListener("click", () => {
    reset();
    at("file").focus();
  });
  at("stop").addEventListener("click", () => stopping.abort());
  addEventListener("beforeunload", (event) => {
    if (!at("sending").hidden) event.preventDefault(); // the file would have to be sent again
  });
  watchColumn(() => {
    at("send").disabled = !at("column").value;
  });
  watchDrops();
}

/** Resets the form. */
export function reset() {
  file = null;
  stopping.abort();
  at("upload").reset();
  clearPreview();
  complain(at("upload-problem"));
  stage("drop");
}

function watchDrops() {
  // Anywhere on the page: a file that misses its target must not replace the page.
  const over = (event, wanted) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    at("drop").classList.toggle("over", wanted && !at("home").hidden);
  };
  addEventListener("dragover", (event) => over(event, true));
  addEventListener("dragleave", (event) => over(event, false));
  addEventListener("drop", (event) => {
    over(event, false);
    const dropped = event.dataTransfer?.files[0];
    if (dropped && !at("home").hidden) choose(dropped);
  });
}

async function choose(chosen) {
  if (!chosen) return;
  file = chosen;
  complain(at("upload-problem"));
  say(at("chosen-name"), file.name);
  say(at("chosen-size"), size(file.size));
  at("send").disabled = true;
  clearPreview();
  say(at("seen"), "Looking into the file.");
  stage("chosen");
  at("chosen-name").focus();
  try {
    const obstacle = await preview(file);
    if (file === chosen) judge(obstacle);
  } catch (error) {
    if (file !== chosen) return;
    say(at("seen"), "");
    refuse(error);
  }
}

/** Without a summary column there is something to choose; what else is in the way is for the file's owner. */
function judge(obstacle) {
  const chosen = at("column").value;
  const column = obstacle?.code === "NO_SUMMARY_COLUMN";
  at("send").disabled = Boolean(obstacle) && !(column && chosen);
  complain(at("upload-problem"), obstacle && !column ? obstacle.message : "");
}

async function begin() {
  stopping = new AbortController();
  stage("sending");
  say(at("sending-state"), `Sending ${file.name}.`);
  at("sending-progress").removeAttribute("value");
  const column = at("column").value;
  const onProgress = (sent, total) => {
    at("sending-progress").value = sent / total;
    say(at("sending-figures"), `${size(sent)} of ${size(total)}`);
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
  complain(at("upload-problem"), error.message);
  at("send").disabled = error.status >= 400 && error.status < 500 && error.status !== 429;
}

function stage(which) {
  for (const name of ["drop", "chosen", "sending"]) show(at(name), name === which);
}
