"""Rows per second of the whole system beside a plain script, on the same rows and the same model.

    python -m benchmarks.throughput [--catalogue FILE --column NAME] [--rounds 3]

The system is measured as its user sees it: from the start of the upload to the job's end, on the laptop stack
(HTTP, storage, Redis, Celery, gRPC, embedded model server). The rounds alternate; medians are printed.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "serving" / "models" / "genre"
ROWS = 8000


def newest_model() -> Path:
    return max((p for p in MODELS.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))


def make_catalogue(target: Path) -> None:
    """Rows of mixed lengths from the project's own books; every text is different."""
    with (ROOT / "data" / "books.csv").open(encoding="utf-8", newline="") as stream:
        texts = [row["summary"] for row in csv.DictReader(stream)]
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["sku", "title", "summary"])
        for n in range(ROWS):
            words = " ".join(texts[(n * k + k) % len(texts)] for k in (1, 3, 7, 11)).split()
            # Lengths as in real catalogues: many short blurbs, a tail of long plots.
            length = 30 + (n * 37 % 120) + (n % 9 == 0) * 200
            writer.writerow([n, f"Book {n}", f"{' '.join(words[:length])} {n}"])


def script_seconds(catalogue: Path, column: str, *flags: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.plain_script", str(catalogue), f"{folder}/out.csv",
             "--model", str(newest_model()), "--column", column, *flags],
            check=True, capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
    return float(done.stdout)


def system_seconds(http: httpx.Client, catalogue: Path, column: str) -> float:
    began = time.perf_counter()
    with catalogue.open("rb") as stream:
        answer = http.post(
            "/v1/jobs", files={"file": (catalogue.name, stream)}, data={"summary_column": column}
        )
    answer.raise_for_status()
    url = answer.json()["links"]["self"]
    while (job := http.get(url).json())["state"] not in ("completed", "failed"):
        time.sleep(0.05)
    if job["state"] == "failed":
        raise SystemExit(f"the job failed: {job['error']}")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--catalogue", type=Path)
    parser.add_argument("--column", default="summary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        catalogue = options.catalogue or Path(folder) / "catalogue.csv"
        if options.catalogue is None:
            make_catalogue(catalogue)
        with catalogue.open(encoding="utf-8", newline="") as stream:
            rows = sum(1 for _ in csv.reader(stream)) - 1
        measure(catalogue, options.column, rows, options.rounds, options.port, Path(folder))


def measure(catalogue: Path, column: str, rows: int, rounds: int, port: int, folder: Path) -> None:
    stack = subprocess.Popen(
        [sys.executable, "-m", "cli", "up", "--port", str(port), "--data-dir", str(folder / "up")],
        cwd=ROOT, stdout=subprocess.DEVNULL,
        env=os.environ | {"SPINELABEL_LABEL_CACHE_ROWS": "0"},
    )  # fmt: skip
    seconds: dict[str, list[float]] = {"spinelabel": [], "script": [], "sorted script": []}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as http:
            wait_until_ready(http, stack)
            system_seconds(http, catalogue, column)  # warm-up, not counted
            for number in range(1, rounds + 1):
                seconds["spinelabel"].append(system_seconds(http, catalogue, column))
                seconds["script"].append(script_seconds(catalogue, column))
                seconds["sorted script"].append(script_seconds(catalogue, column, "--sorted"))
                print(f"round {number} of {rounds} done", file=sys.stderr)
    finally:
        stack.terminate()
        stack.wait()
    report(seconds, rows)


def wait_until_ready(http: httpx.Client, stack: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if stack.poll() is not None:
            raise SystemExit("the laptop stack did not start")
        try:
            if http.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("the laptop stack was not ready within a minute")


def report(seconds: dict[str, list[float]], rows: int) -> None:
    rates = {name: sorted(rows / value for value in values) for name, values in seconds.items()}
    print(
        f"{'':15}{'rows/s':>9}{'min':>9}{'max':>9}   ({rows} rows, median of {len(rates['script'])})"
    )
    for name, values in rates.items():
        print(f"{name:15}{statistics.median(values):9.0f}{values[0]:9.0f}{values[-1]:9.0f}")
    print(
        "The scripts' import and model loading are not counted, the system's upload and result are. One machine,\n"
        "client and servers on the same cores; the embedded model server stands in for tensorflow/serving."
    )
    ours = statistics.median(rates["spinelabel"])
    ratios = (
        f"spinelabel/{n.replace(' ', '_')}={ours / statistics.median(v):.2f}"
        for n, v in rates.items()
        if n != "spinelabel"
    )
    print(" ".join(ratios))


if __name__ == "__main__":
    main()
