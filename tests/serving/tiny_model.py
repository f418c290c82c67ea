"""Build a small SavedModel with the project's three signatures, for tests with a model server.

    python -m tests.serving.tiny_model FOLDER VERSION [VERSION ...] [--labels crime fantasy ...]
        [--cleaning-fingerprint HEX] [--warm-up-requests N] [--without describe evidence]

writes FOLDER/VERSION/ for each version, published by rename. It is run as a process, so that the
tests' process needs no TensorFlow. The words of a text have these effects:

- each word that is a label raises the score of that label, so that tests know the prediction;
- all words count a little, differently in each version, so that versions can be distinguished;
- `poisonword` makes the model refuse the whole batch (INVALID_ARGUMENT);
- each `slowword` makes the batch take some tenths of a second longer;
- `until:PATH` creates the file PATH.reached, and the batch waits until PATH exists;
- `needs:PATH` makes the model refuse the whole batch as long as PATH does not exist;
- `nanword` gives the row probabilities that are not numbers.

The evidence of a text is always its first three words.
"""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serving.tensorflow_setup import import_tensorflow, suppress_native_logs

GENRES = (
    "crime",
    "fantasy",
    "history",
    "horror",
    "psychology",
    "romance",
    "science",
    "sports",
    "thriller",
    "travel",
)
BUCKETS = 64
SLOW_STEPS = 10_000
WORD_WEIGHTS = (0.5, 0.25, 0.125)


def describe(labels: Sequence[str], cleaning_fingerprint: str, export_id: str) -> str:
    """The JSON document of the `describe` signature."""
    return json.dumps(
        {
            "schema": 1,
            "name": "genre",
            "architecture": "tiny",
            "labels": list(labels),
            "max_tokens": 300,
            "cleaning_fingerprint": cleaning_fingerprint,
            "calibration": {"method": "temperature", "temperature": 1.0, "ece": 0.0},
            "review_threshold": 0.5,
            "conformal": {"coverage": 0.9, "quantile": 0.8},
            "training": {"rows": 0, "seed": 0, "data_fingerprint": ""},
            "metrics": {"macro_f1": 0.0},
            "export_id": export_id,
        }
    )


def build(
    folder: Path,
    version: int,
    *,
    labels: Sequence[str] = GENRES,
    cleaning_fingerprint: str = "tiny",
    warm_up_requests: int = 0,
    warm_up_text: str = "a crime in the library",
    without: Sequence[str] = (),
) -> Path:
    """Write folder/version/ and return it; `without` names signatures to omit."""
    import numpy as np
    import tensorflow as tf

    class Tiny(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
        def __init__(self) -> None:
            super().__init__()
            keys = tf.constant(list(labels))
            values = tf.range(len(labels), dtype=tf.int64)
            self.table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(keys, values), default_value=-1
            )
            random = np.random.default_rng(version)
            self.weights = tf.Variable(
                random.normal(size=(BUCKETS, len(labels))).astype(np.float32)
            )

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="summary")])
        def label(self, summary):  # type: ignore[no-untyped-def]  # TensorFlow has no types
            words = tf.strings.split(summary)
            rows = tf.cast(words.nrows(), tf.int32)
            row_of_word = tf.cast(words.value_rowids(), tf.int32)

            def has(word: str) -> Any:
                hits = tf.cast(tf.equal(words.flat_values, word), tf.int32)
                return tf.math.unsorted_segment_max(hits, row_of_word, rows) > 0

            def paths(word: str) -> Any:
                named = tf.strings.regex_full_match(words.flat_values, f"{word}:.+")
                matching = tf.boolean_mask(words.flat_values, named)
                return tf.strings.regex_replace(matching, f"^{word}:", "")

            awaited, needed = paths("until"), paths("needs")
            if tf.size(awaited) > 0:
                tf.io.write_file(awaited[0] + ".reached", "")
            (rounds,) = tf.while_loop(
                # The pattern depends on the loop variable, or it might be evaluated once.
                lambda n: (
                    tf.size(tf.io.matching_files(awaited + tf.where(n < 0, "?", "")))
                    < tf.size(awaited)
                ),
                lambda n: (n + 1,),
                (tf.constant(0),),
            )
            poison = tf.debugging.Assert(
                tf.logical_not(tf.reduce_any(has("poisonword")))
                and tf.size(tf.io.matching_files(needed)) == tf.size(needed),
                ["a poisoned text"],
            )
            named = tf.one_hot(self.table.lookup(words.flat_values), len(labels))
            hashed = tf.strings.to_hash_bucket_fast(words.flat_values, BUCKETS)
            noise = tf.gather(self.weights, hashed) * 0.1
            with tf.control_dependencies([poison]):
                logits = tf.math.unsorted_segment_sum(named * 5 + noise, row_of_word, rows)
            logits = tf.ensure_shape(logits, [None, len(labels)])
            slow = tf.cast(tf.equal(words.flat_values, "slowword"), tf.int32)
            steps = tf.reduce_sum(slow) * SLOW_STEPS
            matrix = tf.fill([128, 128], 0.01)
            for _ in tf.range(steps):
                matrix = tf.tanh(tf.matmul(matrix, matrix))
            # The result must depend on these values, or TensorFlow would not compute them.
            waited = 0 * matrix[0, 0] + 0 * tf.cast(rounds, tf.float32)
            probabilities = tf.nn.softmax(logits) + waited
            broken = tf.expand_dims(has("nanword"), 1)
            return {"probabilities": tf.where(broken, float("nan"), probabilities)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="summary")])
        def evidence(self, summary):  # type: ignore[no-untyped-def]  # TensorFlow has no types
            words = tf.strings.split(summary).to_tensor("", shape=[None, len(WORD_WEIGHTS)])
            return {
                "words": words,
                "weights": tf.where(words == "", 0.0, tf.constant([WORD_WEIGHTS])),
            }

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="query")])
        def describe(self, query):  # type: ignore[no-untyped-def]  # TensorFlow has no types
            document = describe(labels, cleaning_fingerprint, export_id)
            return {"description": tf.fill(tf.shape(query), document)}

    export_id = uuid.uuid4().hex
    tiny = Tiny()
    signatures = {
        "serving_default": tiny.label,
        "describe": tiny.describe,
        "evidence": tiny.evidence,
    }
    unfinished = folder / f".{version}.unfinished"
    tf.saved_model.save(
        tiny,
        str(unfinished),
        signatures={name: f for name, f in signatures.items() if name not in without},
    )
    if warm_up_requests:
        _write_warm_up(unfinished, warm_up_requests, warm_up_text)
    return unfinished.rename(folder / str(version))


def _write_warm_up(version_folder: Path, requests: int, text: str) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    request = predict_pb2.PredictRequest()
    request.inputs["summary"].CopyFrom(tf.make_tensor_proto([text]))
    log = prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )
    extra = version_folder / "assets.extra"
    extra.mkdir()
    with tf.io.TFRecordWriter(str(extra / "tf_serving_warmup_requests")) as writer:
        for _ in range(requests):
            writer.write(log.SerializeToString())


def main() -> None:
    parser = argparse.ArgumentParser(description="Build a small model for tests.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("versions", type=int, nargs="+", metavar="VERSION")
    parser.add_argument("--labels", nargs="+", default=list(GENRES))
    parser.add_argument("--cleaning-fingerprint", default="tiny")
    parser.add_argument("--warm-up-requests", type=int, default=0)
    parser.add_argument(
        "--without", nargs="+", default=[], choices=["serving_default", "describe", "evidence"]
    )
    arguments = parser.parse_args()
    suppress_native_logs()
    import_tensorflow()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for version in arguments.versions:
        build(
            arguments.folder,
            version,
            labels=arguments.labels,
            cleaning_fingerprint=arguments.cleaning_fingerprint,
            warm_up_requests=arguments.warm_up_requests,
            without=arguments.without,
        )


if __name__ == "__main__":
    main()
