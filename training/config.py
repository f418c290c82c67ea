"""The configuration of the trainer, ``training/config.json``.

Each setting states its unit and the reason for its value.
"""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.errors import TrainingError

DEFAULT_CONFIG = Path(__file__).with_name("config.json")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SplitConfig(_Section):
    """How rows are divided into folds, so that every row is predicted out of fold."""

    folds: int = Field(
        default=5,
        ge=2,
        le=20,
        description="folds: every row is held out once; 5 leaves 80 % for training",
    )
    validation_fraction: float = Field(
        default=0.0,
        ge=0.0,
        lt=0.5,
        description="share of a fold's training rows that are held out as a validation set for "
        "early stopping on macro-F1. 0: no early stopping; with 1,400 rows a tenth is worth more "
        "in training",
    )
    seed: int = Field(
        default=7, ge=0, description="no unit: changes the assignment of rows to folds only"
    )


class TextConfig(_Section):
    """Vocabulary and length of the texts."""

    max_tokens: int = Field(
        default=200,
        ge=8,
        le=5000,
        description="tokens that the sequence model reads, which covers two of three summaries; "
        "time grows with it. The linear models read all tokens",
    )
    vocabulary_size: int = Field(
        default=20000,
        ge=100,
        le=200000,
        description="tokens in the vocabulary, including padding and unknown: every thousand costs "
        "0.2 MB at 100 dimensions",
    )
    title: bool = Field(
        default=True,
        description="yes or no: whether the title is read before the summary; worth 0.005 "
        "macro-F1, without a loss for books that have none",
    )
    min_count: int = Field(
        default=3,
        ge=1,
        description="occurrences below which a token gets no vector of its own and reads as "
        "unknown",
    )
    stem_fallback: bool = Field(
        default=False,
        description="yes or no: a token below min_count whose stem (NLTK's Snowball stemmer) is "
        "known reads with the mean vector of that stem; off in the shipped model, effect not "
        "measured",
    )


class EmbeddingConfig(_Section):
    """word2vec over all texts."""

    dimensions: int = Field(
        default=100,
        ge=4,
        le=300,
        description="floats per token: more than 100 did not pay on 14,000 texts",
    )
    window: int = Field(
        default=8,
        ge=1,
        le=50,
        description="tokens to each side: wide windows learn topic, not grammar",
    )
    epochs: int = Field(
        default=12, ge=0, le=100, description="passes over the texts; 0 leaves the vectors random"
    )
    negative_samples: int = Field(
        default=8, ge=1, le=50, description="negative samples per word: 5 to 20 for small corpora"
    )
    subsample: float = Field(
        default=0.0001,
        ge=0.0,
        le=1.0,
        description="share of all tokens above which a word is skipped at random; 0: never",
    )
    skip_gram: bool = Field(
        default=True,
        description="yes or no: skip-gram represents rare words better than CBOW on small corpora",
    )


class ModelConfig(_Section):
    """The architecture and its regularisation."""

    architecture: str = Field(
        default="bilstm_attention", description="a name in training.neural.architectures"
    )
    units: int = Field(
        default=64,
        ge=2,
        le=1024,
        description="cells per direction: doubling halves the rows per second",
    )
    hidden: int = Field(
        default=64, ge=0, le=4096, description="cells between pooling and logits; 0: none"
    )
    heads: int = Field(default=4, ge=1, le=32, description="attention heads of the transformer")
    embedding_dropout: float = Field(
        default=0.3,
        ge=0.0,
        lt=1.0,
        description="share of embedding dimensions dropped for a whole text",
    )
    word_dropout: float = Field(
        default=0.1,
        ge=0.0,
        lt=1.0,
        description="share of tokens read as unknown, against memorising names",
    )
    dropout: float = Field(
        default=0.4,
        ge=0.0,
        lt=1.0,
        description="share of pooled features dropped before the logits",
    )
    l2: float = Field(
        default=0.0,
        ge=0.0,
        description="penalty per squared weight of the dense layers; dropout does more",
    )


class StageConfig(_Section):
    """One stage of training: pre-training with pseudo-labelled texts, or training on the data."""

    epochs: int = Field(default=20, ge=0, le=1000, description="maximum of passes over the rows")
    learning_rate: float = Field(
        default=0.001,
        gt=0.0,
        le=1.0,
        description="Adam's peak learning rate; decays as a half cosine",
    )
    patience: int = Field(
        default=5, ge=1, description="epochs without a better validation macro-F1 before stopping"
    )
    batch_rows: int = Field(
        default=32, ge=1, le=4096, description="rows per step: small batches generalise better here"
    )
    label_smoothing: float = Field(
        default=0.05,
        ge=0.0,
        lt=1.0,
        description="share of the target spread over all labels, because labels are noisy",
    )
    loss: Literal["cross_entropy", "focal"] = Field(
        default="cross_entropy", description="focal loss gives easy rows less weight"
    )
    focal_gamma: float = Field(
        default=2.0,
        ge=0.0,
        le=10.0,
        description="exponent of focal loss; 2 as in Lin et al. (2017)",
    )
    class_weight_power: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        description="exponent on the inverse class share: 0 weighs rows equally, 1 classes",
    )
    sampling: Literal["uniform", "balanced"] = Field(
        default="uniform",
        description="uniform: each row once per epoch; balanced: classes equally, with replacement",
    )
    max_gradient_norm: float = Field(
        default=1.0,
        gt=0.0,
        description="norm at which gradients are clipped, for stable recurrent training",
    )


class LinearModelsConfig(_Section):
    """The linear and kernel models of the ensemble, which read the whole text."""

    word_svm_c: float = Field(
        default=0.5, gt=0.0, description="C of the linear support vector machine on words"
    )
    char_svm_c: float = Field(
        default=0.3,
        gt=0.0,
        description="C of the linear support vector machine on character n-grams, which overfit "
        "sooner",
    )
    rbf_gamma: float = Field(
        default=2.0,
        gt=0.0,
        description="gamma of the RBF kernel on unit vectors (squared distances 0 to 4)",
    )
    ridge_penalty: float = Field(
        default=1.0, gt=0.0, description="L2 penalty of the kernel ridge regression"
    )
    linear_kernel_weight: float = Field(
        default=0.5,
        ge=0.0,
        description="weight of the linear word kernel relative to the RBF kernel, in the ridge "
        "regression",
    )
    class_weight_power: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        description="exponent on a row's inverse class share, in the ridge regression",
    )
    extra_weight: float = Field(
        default=0.3, ge=0.0, le=1.0, description="sample weight of an extra row; 1: as a data row"
    )
    max_extra_rows_per_class: int = Field(
        default=400,
        ge=0,
        description="maximum of extra rows per label, the most confident; 0: none",
    )
    logit_adjustment_tau: float = Field(
        default=0.4,
        ge=0.0,
        le=1.0,
        description="tau of the logit adjustment (minus tau x log prior) when extra rows are "
        "selected, so that rare labels are selected too; 0: none",
    )
    max_rows: int = Field(
        default=6000,
        ge=10,
        le=20000,
        description="maximum of data rows: each takes 0.24 kB in the model, and solving the kernel "
        "regression takes cubic time",
    )


class PseudoLabelsConfig(_Section):
    """Distillation into the sequence model: extra texts with soft labels from the linear models."""

    max_rows_per_class: int = Field(
        default=500, ge=0, description="maximum of texts per label, the most confident"
    )
    weight: float = Field(
        default=0.5, gt=0.0, le=1.0, description="sample weight of such a text; 1: as a data row"
    )
    logit_adjustment_tau: float = Field(
        default=0.3,
        ge=0.0,
        le=1.0,
        description="tau of the logit adjustment (minus tau x log prior) of the soft labels, so "
        "that rare labels are kept; 0: none",
    )


class WritingStylesConfig(_Section):
    """Labels whose texts are all plots or all blurbs.

    A style classifier is trained on them, and F1 is reported per style: where style and label
    correlate, a model may have learned the style.
    """

    plot: tuple[str, ...] = Field(
        default=("crime",), description="labels whose texts all retell the plot (Wikipedia)"
    )
    blurb: tuple[str, ...] = Field(
        default=("psychology", "romance", "sports", "travel"),
        description="labels whose texts all advertise the book (publishers, via Goodreads)",
    )


class CalibrationConfig(_Section):
    """Targets of the calibration."""

    precision: float = Field(
        default=0.95,
        gt=0.0,
        lt=1.0,
        description="accuracy of the rows that are not sent to review",
    )
    coverage: float = Field(
        default=0.9,
        gt=0.0,
        lt=1.0,
        description="share of rows whose genre_set contains the right genre",
    )
    bins: int = Field(
        default=15,
        ge=2,
        le=100,
        description="confidence bins of the calibration error: the usual 15",
    )


class TrainingConfig(_Section):
    """The whole of ``config.json``."""

    seed: int = Field(
        default=7, ge=0, description="no unit: determines weights, order of rows and dropout"
    )
    split: SplitConfig = SplitConfig()
    text: TextConfig = TextConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    model: ModelConfig = ModelConfig()
    linear_models: LinearModelsConfig = LinearModelsConfig()
    pseudo_labels: PseudoLabelsConfig = PseudoLabelsConfig()
    pretraining: StageConfig = StageConfig(
        epochs=4, learning_rate=0.003, patience=4, batch_rows=64, label_smoothing=0.0
    )
    training: StageConfig = StageConfig(
        epochs=20, learning_rate=0.003, batch_rows=32, label_smoothing=0.1
    )
    writing_styles: WritingStylesConfig = WritingStylesConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    tensorboard: bool = Field(
        default=False, description="yes or no: write TensorBoard logs beside the CSV log"
    )


def read_config(path: Path = DEFAULT_CONFIG) -> TrainingConfig:
    """Read the configuration from a JSON file; missing keys keep their defaults.

    Raises:
        TrainingError: the file is missing, is not JSON, or a key is unknown or has a wrong value;
            the message names the key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(
            f"The configuration {path} cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise TrainingError(f"The configuration {path} is not JSON: {error}.") from error
    return parse_config(content, str(path))


def parse_config(content: object, origin: str) -> TrainingConfig:
    """Return the configuration in parsed JSON; ``origin`` names it in errors.

    Raises:
        TrainingError: a key is unknown or has a wrong value.
    """
    try:
        return TrainingConfig.model_validate(content)
    except ValidationError as error:
        raise TrainingError(f"{origin}: {_first_error(error)}") from error


def _first_error(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the document"
    if first["type"] == "extra_forbidden":
        return f"there is no setting named '{key}'; remove it or correct its name."
    return f"'{key}' is invalid: {first['msg']} (its value is {first['input']!r})."
