// Job states in plain words.

export const STATES = {
  queued: { short: "waiting", long: "Waiting for a worker" },
  validating: { short: "reading", long: "Reading the file" },
  in_progress: { short: "labelling", long: "Labelling" },
  finalizing: { short: "finishing", long: "Writing the result" },
  completed: { short: "done", long: "Done" },
  failed: { short: "failed", long: "Failed" },
  cancelling: { short: "cancelling", long: "Cancelling" },
  cancelled: { short: "cancelled", long: "Cancelled; the labelled rows can be downloaded" },
  expired: { short: "expired", long: "Took too long; the labelled rows can be downloaded" },
};

const ENDED = new Set(["completed", "failed", "cancelled", "expired"]);

export const hasEnded = (job) => ENDED.has(job.state);

export function tone(job) {
  if (job.state === "completed") return "good";
  if (job.state === "failed" || job.state === "expired") return "bad";
  return hasEnded(job) ? "quiet" : "busy";
}
