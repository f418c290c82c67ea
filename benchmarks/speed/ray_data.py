"""Ray Data: `read_csv` → `map_batches` with a model in each of as many actors as there are cores → `write_csv`.

Prints the seconds from the moment at which the last actor has loaded its model until the file is written, in order: what Ray
reads meanwhile is a present to it.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.speed.signature import BATCH, Labeller, options

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


class LabelBatches:
    """One actor's model; leaves a file that says since when it is loaded."""

    def __init__(self, model: Path, column: str, ready: Path) -> None:
        self._labeller = Labeller(model)
        self._column = column
        (ready / str(os.getpid())).write_text(str(time.time()))

    def __call__(self, table: pd.DataFrame) -> pd.DataFrame:
        best, confidence = self._labeller.label(table[self._column].tolist())
        return table.assign(label=best, confidence=confidence)


def main() -> None:
    import ray
    from pyarrow import csv, string

    given = options(__doc__)
    cores = os.cpu_count() or 1
    with given.catalogue.open(encoding="utf-8") as stream:
        names = stream.readline().strip().split(",")
    ray.init(
        num_cpus=cores, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1"
    )
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    ray.data.DataContext.get_current().enable_progress_bars = False
    with tempfile.TemporaryDirectory() as ready:
        table = ray.data.read_csv(
            str(given.catalogue),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, string())),
            # A single file is a single block otherwise, and one actor would do all the work.
            override_num_blocks=cores * 8,
        )
        arguments: dict[str, Any] = {
            "model": given.model, "column": given.column, "ready": Path(ready)
        }  # fmt: skip
        table.map_batches(
            LabelBatches, fn_constructor_kwargs=arguments, batch_format="pandas",
            batch_size=BATCH, compute=ray.data.ActorPoolStrategy(size=cores),
            # Not a whole core each, or none would be left for reading, and Ray would wait for ever.
            num_cpus=0.5,
        ).write_csv(str(given.output))  # fmt: skip
        ended = time.time()
        began = max(float(path.read_text()) for path in Path(ready).iterdir())
    ray.shutdown()
    print(f"{ended - began:.3f}")


if __name__ == "__main__":
    main()
