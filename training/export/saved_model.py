"""Exports a finished run as a SavedModel and publishes it.

``python -m training.export.saved_model RUN --model-root DIR`` reads the run directory of
``training.train``, writes ``DIR/VERSION.partial``, verifies it as a server would load it, and
renames it, so that a server that watches the folder never sees a partial model.
"""

import argparse
import json
import shutil
import sys
import uuid
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from training import console
from training.config import read_config
from training.errors import TrainingError
from training.export.attribution import build_attribution
from training.export.ensemble_model import EnsembleModel, load_ensemble
from training.export.verify import ExportError, verify_export
from training.export.version_numbers import reserve
from training.features.vectoriser import build_vectoriser

WARM_UP = Path("assets.extra") / "tf_serving_warmup_requests"
_WARM_UP_ROWS = (1, 16, 32)
_WARM_UP_WORDS = (8, 64, 300)


def write_saved_model(ensemble: EnsembleModel, description: str, folder: Path) -> None:
    """Write the graph with its three signatures.

    ``serving_default``: cleaned texts to calibrated probabilities. ``describe``: the description.
    ``evidence``: the words that contributed most to the label.
    """
    vectoriser = build_vectoriser(ensemble.vocabulary)
    vectoriser(tf.constant([""]))  # an unbuilt layer cannot be exported
    explain = build_attribution(ensemble)

    def token_numbers(summary: tf.Tensor) -> tf.Tensor:
        tokens = tf.cast(vectoriser(summary), tf.int32)
        # A batch of empty texts has no columns, and a recurrent layer needs one.
        missing = tf.cast(tf.equal(tf.shape(tokens)[1], 0), tf.int32)
        return tf.pad(tokens, [[0, 0], [0, missing]])

    def serve(summary: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": ensemble.probabilities(token_numbers(summary))}

    def evidence(summary: tf.Tensor) -> dict[str, tf.Tensor]:
        return explain(token_numbers(summary))

    def describe(query: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"description": tf.fill(tf.shape(query), tf.constant(description))}

    archive = keras.export.ExportArchive()
    # Only the lookup table has to be tracked. Keras finds the variables through the endpoints, and
    # tracking the model as well would write each of them twice.
    archive.track(vectoriser)
    text = [tf.TensorSpec([None], tf.string, "summary")]
    archive.add_endpoint("serving_default", serve, text)
    archive.add_endpoint("evidence", evidence, text)
    archive.add_endpoint("describe", describe, [tf.TensorSpec([None], tf.string, "query")])
    archive.write_out(str(folder), verbose=False)
    _write_warm_up(folder / WARM_UP, ensemble.vocabulary)


def publish(run: Path, model_root: Path, version: int | None = None) -> Path:
    """Export the run's final model, verify it, and rename it into ``model_root``.

    Returns: the folder of the new version.

    Raises:
        ExportError: the export differs from the trained model or is not portable.
        TrainingError: the version was used before.
        OSError: the folder cannot be written.
    """
    config = read_config(run / "config.json")
    description = json.loads((run / "description.json").read_text(encoding="utf-8"))
    probe = json.loads((run / "probe.json").read_text(encoding="utf-8"))
    newest = max((int(p.name) for p in model_root.glob("*") if p.name.isdecimal()), default=0)
    target = model_root / str(reserve(model_root, version))
    if newest + 1 < int(target.name):
        console.line(
            f"The new version is {target.name}: numbers after {newest} were used in {model_root} "
            "before."
        )
    ensemble = load_ensemble(run, config, tuple(description["labels"]))
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    # Two exports may have equal descriptions and different weights. The worker identifies a model
    # by its description, so each export gets an id.
    export_id = uuid.uuid4().hex
    text = json.dumps({**description, "export_id": export_id}, ensure_ascii=False, sort_keys=True)
    write_saved_model(ensemble, text, partial)
    report = verify_export(partial, ensemble, probe)
    (run / "export.json").write_text(
        json.dumps({**report, "version": int(target.name), "export_id": export_id}, indent=1),
        encoding="utf-8",
    )
    partial.rename(target)
    return target


def _write_warm_up(path: Path, vocabulary: tuple[str, ...]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for rows, words in zip(_WARM_UP_ROWS, _WARM_UP_WORDS, strict=True):
            text = " ".join(vocabulary[i % len(vocabulary)] for i in range(words))
            request = predict_pb2.PredictRequest()
            request.model_spec.name = "genre"
            request.model_spec.signature_name = "serving_default"
            request.inputs["summary"].CopyFrom(tf.make_tensor_proto([text] * rows))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.export.saved_model", description=__doc__
    )
    parser.add_argument("run", type=Path, help="run directory of training.train")
    parser.add_argument("--model-root", type=Path, required=True, help="e.g. serving/models/genre")
    parser.add_argument("--version", type=int, help="default: the lowest unused number")
    options = parser.parse_args(arguments)
    console.suppress_library_notices()
    # Before any device is used: the operations of a visible GPU could get into the graph.
    tf.config.set_visible_devices([], "GPU")
    try:
        published = publish(options.run, options.model_root, options.version)
    except (TrainingError, ExportError) as error:
        console.error(error)
        return 2
    console.line(f"Published: {published}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
