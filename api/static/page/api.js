// Requests to the server. An error response becomes a Problem, no response becomes ServerUnavailable.

import { askForKey } from "./key.js";

const UNAVAILABLE = new Set([502, 503, 504]);
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

/** An error response; the message says what is wrong and what to do. */
export class Problem extends Error {
  constructor(status, document) {
    super(document?.detail ?? `The server answered ${status}; try again in a moment.`);
    this.status = status;
    this.code = document?.code;
  }
}

/** The server does not respond. */
export class ServerUnavailable extends Error {
  constructor() {
    super("The server does not answer at the moment; try again.");
  }
}

export const jobPath = (id, rest = "") => `/v1/jobs/${encodeURIComponent(id)}${rest}`;

export async function request(path, options = {}) {
  const { json, ...rest } = options;
  if (json !== undefined) {
    rest.body = JSON.stringify(json);
    rest.headers = { "Content-Type": "application/json" };
  }
  let response;
  try {
    response = await fetch(path, rest);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerUnavailable();
  }
  if (UNAVAILABLE.has(response.status)) throw new ServerUnavailable();
  const body = await response.json().catch(() => null);
  if (response.status === 401) {
    await askForKey(body?.detail);
    return request(path, options);
  }
  if (!response.ok) throw new Problem(response.status, body);
  return body;
}

/** Retries until the server responds, and updates the connection banner meanwhile. */
export async function requestWithRetry(path, options = {}) {
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
    try {
      const body = await request(path, options);
      announce("available");
      return body;
    } catch (error) {
      if (!(error instanceof ServerUnavailable)) throw error;
      announce("unavailable");
      await pause(wait, options.signal);
    }
  }
}

export function announce(state) {
  dispatchEvent(new CustomEvent(`server-${state}`));
}

export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(new DOMException("No longer needed", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end, { once: true });
  });
}
