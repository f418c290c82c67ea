// Figures, times and sizes as people read them.

const grouped = new Intl.NumberFormat("en");
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const number = (value) => grouped.format(value);

export const rows = (count) => `${number(count)} ${count === 1 ? "row" : "rows"}`;

export const moment = (text) => moments.format(new Date(text));

export function percent(share) {
  if (share > 0 && share < 0.01) return "under 1 %";
  return `${share < 1 ? Math.min(Math.round(share * 100), 99) : 100} %`;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
