// Sends a catalogue, follows its job, lists recent ones. The job shown is in the address, so a reload keeps it.

const POLL_MS = 1000;
const RETRY_MS = 3000;
const ENDED = new Set(["completed", "failed", "cancelled", "expired"]);
const STATES = {
  queued: "Waiting for a worker",
  validating: "Reading the file",
  in_progress: "Labelling",
  finalizing: "Putting the result together",
  completed: "Done",
  failed: "Failed",
  cancelling: "Cancelling",
  cancelled: "Cancelled; what was finished can be downloaded",
  expired: "Took too long; what was finished can be downloaded",
};

const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
let shown = null; // the id of the job on the page
let timer = 0;

function say(id, text) {
  // A live region is read out again whenever it is written, so unchanged text is left alone.
  if (at(id).textContent !== text) at(id).textContent = text;
}

function complain(text) {
  at("problem").hidden = !text;
  say("problem", text);
}

async function ask(path, options) {
  const response = await fetch(path, options);
  const body = response.status === 204 ? null : await response.json();
  if (!response.ok) throw Object.assign(new Error(body.detail), { status: response.status });
  return body;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function link(id, href) {
  at(id).hidden = !href;
  if (href) at(id).href = href;
}

function bar(value, max) {
  if (max) {
    at("progress").max = max;
    at("progress").value = value;
  } else {
    at("progress").removeAttribute("value"); // under way, but how far cannot be known
  }
}

function show(job) {
  const { total, labelled, failed } = job.row_counts;
  const ended = ENDED.has(job.state);
  at("job").hidden = false;
  say("job-title", job.filename);
  at("progress").hidden = ended;
  bar(labelled + failed, job.total_is_final ? total : 0);
  say("status", job.error ? job.error.message : `${STATES[job.state]}.`);
  const figures = [];
  if (total) figures.push(`${number.format(labelled + failed)} of ${number.format(total)}${job.total_is_final ? "" : " or more"} rows`);
  if (failed) figures.push(`${number.format(failed)} could not be labelled`);
  if (job.rows_per_second) figures.push(`${number.format(Math.round(job.rows_per_second))} rows a second`);
  if (job.eta_seconds >= 1) figures.push(`about ${duration(job.eta_seconds)} left`);
  say("figures", figures.join(" · "));
  link("result", job.links.result);
  link("errors", failed ? job.links.errors : null);
  at("cancel").hidden = !job.links.cancel;
}

function follow(id) {
  shown = id;
  clearTimeout(timer);
  if (id) poll(id);
  else at("job").hidden = true;
}

async function poll(id) {
  try {
    const job = await ask(`/v1/jobs/${encodeURIComponent(id)}`);
    if (id !== shown) return;
    show(job);
    if (ENDED.has(job.state)) list();
    else timer = setTimeout(poll, POLL_MS, id);
  } catch (error) {
    if (id !== shown) return;
    if (error.status && error.status < 500) {
      at("job").hidden = true;
      complain(error.message);
      return;
    }
    at("job").hidden = false;
    say("status", "The server does not answer; trying again.");
    timer = setTimeout(poll, RETRY_MS, id);
  }
}

function send(file, column) {
  const query = new URLSearchParams({ filename: file.name });
  if (column) query.set("summary_column", column);
  const request = new XMLHttpRequest(); // fetch cannot tell how far an upload is
  const finish = (problem) => {
    at("upload").querySelector("button").disabled = false;
    complain(problem);
  };
  complain("");
  follow(null);
  at("upload").querySelector("button").disabled = true;
  at("job").hidden = false;
  at("progress").hidden = false;
  for (const id of ["result", "errors", "cancel"]) at(id).hidden = true;
  say("job-title", file.name);
  say("figures", "");
  say("status", "Sending.");
  request.upload.onprogress = (event) => {
    bar(event.loaded, event.total);
    say("figures", `${number.format(Math.round(event.loaded / 1e4) / 100)} of ${number.format(Math.round(event.total / 1e4) / 100)} MB`);
  };
  request.onload = () => {
    const ok = request.status === 202;
    finish(ok ? "" : request.response?.detail ?? `The server answered ${request.status}; try again.`);
    if (ok) location.hash = request.response.id;
    else at("job").hidden = true;
    if (ok) at("job-title").focus();
  };
  request.onerror = () => {
    at("job").hidden = true;
    finish("The connection broke before the server answered; try again.");
  };
  request.open("POST", `/v1/jobs?${query}`);
  request.responseType = "json";
  request.setRequestHeader("Content-Type", file.type || "text/csv");
  request.send(file);
}

function cell(row, content) {
  const td = row.insertCell();
  if (content) td.append(content);
}

function anchor(href, text, label = text) {
  const a = document.createElement("a");
  a.href = href;
  a.textContent = text;
  a.ariaLabel = label;
  return a;
}

async function list() {
  let jobs;
  try {
    ({ jobs } = await ask("/v1/jobs?limit=20"));
  } catch (error) {
    complain(error.status ? error.message : "The server does not answer; reload the page in a moment.");
    return;
  }
  const rows = document.createElement("tbody");
  for (const job of jobs) {
    const row = rows.insertRow();
    cell(row, anchor(`#${job.id}`, job.filename));
    cell(row, job.state.replace("_", " "));
    cell(row, number.format(job.row_counts.total));
    cell(row, moment.format(new Date(job.created_at)));
    cell(row, job.links.result && anchor(job.links.result, "Download", `Download ${job.filename}`));
  }
  at("jobs").tBodies[0].replaceWith(rows);
  at("jobs").hidden = !jobs.length;
  at("no-jobs").hidden = jobs.length > 0;
}

at("upload").addEventListener("submit", (event) => {
  event.preventDefault();
  send(at("file").files[0], at("column").value.trim());
});

at("cancel").addEventListener("click", async () => {
  const id = shown;
  try {
    const job = await ask(`/v1/jobs/${encodeURIComponent(id)}/cancel`, { method: "POST" });
    if (id === shown) show(job);
  } catch (error) {
    complain(error.status ? error.message : "The server does not answer; try again.");
  }
});

for (const name of ["dragenter", "dragover"]) {
  at("drop").addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
}
at("drop").addEventListener("dragleave", () => at("drop").classList.remove("over"));
at("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  if (event.dataTransfer.files.length) at("file").files = event.dataTransfer.files;
});

const fromAddress = () => {
  complain("");
  follow(location.hash.slice(1) || null);
  list();
};
addEventListener("hashchange", fromAddress);
fromAddress();
