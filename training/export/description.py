"""The description of a model, which its ``describe`` signature returns."""

from typing import Any

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from training.config import TrainingConfig
from training.data.dataset import Corpus
from training.evaluation.calibration import Calibration

SCHEMA = 1


def describe(
    corpus: Corpus, config: TrainingConfig, calibration: Calibration, evaluation: dict[str, Any]
) -> dict[str, Any]:
    """Build the description. Changing a key that the worker reads requires a new ``SCHEMA``."""
    return {
        "schema": SCHEMA,
        "name": "genre",
        "architecture": f"{config.model.architecture}+linear_models",
        "labels": list(corpus.label_names),
        "max_tokens": config.text.max_tokens,
        "reads_title": config.text.title,
        "cleaning_fingerprint": CLEANING_FINGERPRINT,
        "calibration": {
            "method": "temperature and label noise per class",
            "temperature": calibration.temperature,
            "noise": dict(zip(corpus.label_names, calibration.label_noise.tolist(), strict=True)),
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
            "share_without_review": evaluation["review"]["share_without_review"],
        },
    }
