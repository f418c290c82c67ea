"""Verifies an export: loads it as TensorFlow Serving does and compares it with the Keras model."""

import json
import math
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from training.export.ensemble_model import EnsembleModel
from training.features.vectoriser import encode
from training.neural.batches import pad

TOLERANCE = 1e-5
_NOT_PORTABLE = re.compile(r"cudnn|xla|pyfunc|nccl|tensorrt|trt", re.IGNORECASE)

Floats = npt.NDArray[np.float32]


class ExportError(Exception):
    """The export must not be published; the message states the reason."""


def verify_export(folder: Path, ensemble: EnsembleModel, probe: Sequence[str]) -> dict[str, object]:
    """Compare the SavedModel with the Keras model on cleaned texts; measure its size and speed.

    Raises:
        ExportError: a probability differs by more than TOLERANCE, an operation is not portable, or
            a row's probabilities depend on the other rows of the batch.
    """
    operations = portable_operations(folder)
    texts = [*probe, "qqzzqq zzqqzz", ""]
    with SessionModel(folder) as served:
        batched = np.concatenate(
            [served.probabilities(texts[i : i + 32]) for i in range(0, len(texts), 32)]
        )
        alone = np.concatenate([served.probabilities([text]) for text in texts[-8:]])
        json.loads(served.describe())
        speed = rows_per_second(served, probe)
    rows = encode(texts, ensemble.vocabulary, None)
    expected = np.concatenate(
        [ensemble.probabilities(pad(rows[i : i + 32])).numpy() for i in range(0, len(rows), 32)]
    )
    difference = float(np.abs(batched - expected).max())
    if not difference <= TOLERANCE:
        raise ExportError(
            f"The export differs from the Keras model by {difference:.2g}, more than "
            f"{TOLERANCE:.0g}; it is not published."
        )
    batch_effect = float(np.abs(batched[-8:] - alone).max())
    if not batch_effect <= TOLERANCE:
        raise ExportError(
            f"A row's probabilities change by {batch_effect:.2g} with the other rows of its batch; "
            "the export is not published."
        )
    return {
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        "parameters": _parameters(ensemble),
        "operations": sorted(operations),
        "largest_difference": difference,
        "rows_per_second": speed,
    }


def _parameters(ensemble: EnsembleModel) -> int:
    """Number of parameters; the word vectors, which both parts share, count once."""
    weights = {id(w): w for part in (ensemble.sequence, ensemble.linear) for w in part.weights}
    return sum(math.prod(weight.shape) for weight in weights.values())


def portable_operations(folder: Path) -> set[str]:
    """The names of all operations in the graph and its functions.

    Raises:
        ExportError: one of them requires a certain device or the Python process that wrote it.
    """
    document = saved_model_pb2.SavedModel()
    document.ParseFromString((folder / "saved_model.pb").read_bytes())
    names: set[str] = set()
    for graph in document.meta_graphs:
        nodes = list(graph.graph_def.node)
        for function in graph.graph_def.library.function:
            nodes.extend(function.node_def)
        for node in nodes:
            names.add(node.op)
            if _NOT_PORTABLE.search(node.op) or "GPU" in node.device:
                raise ExportError(
                    f"The operation {node.op} ({node.name}) is not portable; the export is not "
                    "published."
                )
    return names


class SessionModel:
    """A SavedModel in a v1 session, addressed by tensor names; use it in a ``with`` statement."""

    def __init__(self, folder: Path) -> None:
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph)
        with self._graph.as_default():
            loaded = tf.compat.v1.saved_model.loader.load(self._session, ["serve"], str(folder))
        self._signatures = loaded.signature_def

    def __enter__(self) -> "SessionModel":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._session.close()

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """float32 [N, K] of cleaned texts."""
        return np.asarray(self._run("serving_default", "summary", "probabilities", texts))

    def evidence(self, texts: Sequence[str]) -> list[list[tuple[str, float]]]:
        """The words that contributed most to each cleaned text's label, with their weights."""
        words = self._run("evidence", "summary", "words", texts)
        weights = self._run("evidence", "summary", "weights", texts)
        return [
            [(word.decode(), float(w)) for word, w in zip(row, shares, strict=True) if word]
            for row, shares in zip(words, weights, strict=True)
        ]

    def describe(self) -> str:
        """The description's JSON text."""
        answer = self._run("describe", "query", "description", [""])
        return bytes(answer[0]).decode()

    def _run(self, signature: str, input_: str, output: str, texts: Sequence[str]) -> Any:
        definition = self._signatures[signature]
        return self._session.run(
            definition.outputs[output].name,
            {definition.inputs[input_].name: [text.encode() for text in texts]},
        )


def rows_per_second(served: SessionModel, texts: Sequence[str], batch_rows: int = 128) -> float:
    """Throughput over the texts, sorted by length and cut into batches as the worker does."""
    ordered = sorted(texts, key=lambda text: text.count(" "))
    batches = [ordered[i : i + batch_rows] for i in range(0, len(ordered), batch_rows)]
    served.probabilities(batches[-1])
    started = time.monotonic()
    for batch in batches:
        served.probabilities(batch)
    return len(ordered) / (time.monotonic() - started)
