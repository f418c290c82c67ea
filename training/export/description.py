"""What a shipped model says about itself through its ``describe`` signature."""

import json
from collections.abc import Sequence
from typing import Any

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from training.config import TrainingConfig
from training.data.dataset import Corpus
from training.evaluation.calibration import Calibration

SCHEMA = 1


def describe(
    corpus: Corpus, config: TrainingConfig, calibration: Calibration, evaluation: dict[str, Any]
) -> dict[str, Any]:
    """The document; its keys are read by the worker, so that a change needs a new schema number."""
    return {
        "schema": SCHEMA,
        "name": "genre",
        "architecture": f"{config.model.architecture}+experts",
        "labels": list(corpus.label_names),
        "max_tokens": config.text.max_tokens,
        "reads_title": config.text.title,
        "cleaning_fingerprint": CLEANING_FINGERPRINT,
        "calibration": {
            "method": "temperature, noise of each label",
            "temperature": calibration.temperature,
            "noise": dict(zip(corpus.label_names, calibration.noise.tolist(), strict=True)),
            "ece": evaluation["ece"],
        },
        "review_threshold": calibration.review_threshold,
        "conformal": {"coverage": config.calibration.coverage, "quantile": calibration.quantile},
        "training": {
            "rows": len(corpus),
            "seed": config.seed,
            "data_fingerprint": corpus.fingerprint(),
        },
        "metrics": {
            "macro_f1": evaluation["macro_f1"],
            "accuracy": evaluation["accuracy"],
            "share_left_alone": evaluation["review"]["share_left_alone"],
        },
    }


def labels_of(description: str) -> Sequence[str]:
    """The labels in a description as the model returned it."""
    return tuple(str(name) for name in json.loads(description)["labels"])
