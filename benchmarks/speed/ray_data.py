"""Ray Data: `read_csv` → `map_batches` with one actor and model per core → `write_csv`.

Prints the seconds from the time at which the last actor has loaded its model until the file is
written in order. What Ray reads before is not counted, to its advantage.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.speed.signature import BATCH, Labeller, parse_arguments

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


class LabelBatches:
    """The model of one actor; writes a file with the time at which it was loaded."""

    def __init__(self, model: Path, column: str, ready: Path) -> None:
        self._labeller = Labeller(model)
        self._column = column
        (ready / str(os.getpid())).write_text(str(time.time()))

    def __call__(self, table: pd.DataFrame) -> pd.DataFrame:
        best, confidence = self._labeller.label(table[self._column].tolist())
        return table.assign(label=best, confidence=confidence)


def main() -> None:
    arguments = parse_arguments(__doc__)
    # Imported here, so that `--help` works where Ray is not installed.
    import ray
    from pyarrow import csv, string

    cores = os.cpu_count() or 1
    with arguments.catalogue.open(encoding="utf-8") as stream:
        names = stream.readline().strip().split(",")
    ray.init(
        num_cpus=cores, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1"
    )
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    ray.data.DataContext.get_current().enable_progress_bars = False
    with tempfile.TemporaryDirectory() as ready:
        table = ray.data.read_csv(
            str(arguments.catalogue),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, string())),
            # Otherwise a file is one block, and one actor does all the work.
            override_num_blocks=cores * 8,
        )
        actor_arguments: dict[str, Any] = {
            "model": arguments.model, "column": arguments.column, "ready": Path(ready)
        }  # fmt: skip
        table.map_batches(
            LabelBatches, fn_constructor_kwargs=actor_arguments, batch_format="pandas",
            batch_size=BATCH, compute=ray.data.ActorPoolStrategy(size=cores),
            # With a whole core each, none would be left for reading, and Ray would wait
            # indefinitely.
            num_cpus=0.5,
        ).write_csv(str(arguments.output))  # fmt: skip
        ended = time.time()
        started = max(float(path.read_text()) for path in Path(ready).iterdir())
    ray.shutdown()
    print(f"{ended - started:.3f}")


if __name__ == "__main__":
    main()
