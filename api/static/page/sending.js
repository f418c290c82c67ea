// Upload of a file. fetch cannot tell how far an upload is, so this is XMLHttpRequest.

import { Problem, ServerUnavailable } from "./api.js";
import { askForKey } from "./key.js";

/** Resolves to the job document. Rejects with Problem, ServerUnavailable, or null if it was cancelled. */
export function send(file, options, { onProgress, signal }) {
  const query = new URLSearchParams({ filename: file.name, ...options });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onload = () => {
      if (request.status === 202) resolve(request.response);
      else if (request.status === 401) {
        askForKey(request.response?.detail).then(() =>
          send(file, options, { onProgress, signal }).then(resolve, reject),
        );
      } else reject(new Problem(request.status, request.response));
    };
    request.onerror = () => reject(new ServerUnavailable());
    request.onabort = () => reject(null);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.open("POST", `/v1/jobs?${query}`);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", file.type || "text/csv");
    request.send(file);
  });
}
