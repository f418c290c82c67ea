"""Typed reader of ``training/config.json``: every number carries its unit and its reason."""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.errors import TrainingError

DEFAULT_CONFIG = Path(__file__).with_name("config.json")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SplitConfig(_Section):
    """How rows are divided so that no row is judged by a model that learned from it."""

    folds: int = Field(
        default=5,
        ge=2,
        le=20,
        description="folds: every row is held out once; 5 leaves 80 % to learn from",
    )
    validation_fraction: float = Field(
        default=0.0,
        ge=0.0,
        lt=0.5,
        description="share of a fold's learning rows that early stopping on macro-F1 watches; kept "
        "out of both learning and judging. 0: nothing is watched and every epoch made, since a "
        "tenth of 1,400 rows is worth more learned from than watched",
    )
    seed: int = Field(
        default=7, ge=0, description="no unit: changes which rows meet in a fold, and nothing else"
    )


class TextConfig(_Section):
    """What of a cleaned summary the model reads."""

    max_tokens: int = Field(
        default=200,
        ge=8,
        le=5000,
        description="tokens the sequence model reads in order: two summaries in three whole, and "
        "reading time grows with it; the experts read everything",
    )
    vocabulary_size: int = Field(
        default=20000,
        ge=100,
        le=200000,
        description="tokens known by name, the padding and the unknown token included: every "
        "thousand costs 0.2 MB at 100 dimensions",
    )
    title: bool = Field(
        default=True,
        description="yes or no: a book's title, where there is one, is read before its summary; "
        "worth 0.005 macro-F1, and nothing is lost for books without",
    )
    min_count: int = Field(
        default=3,
        ge=1,
        description="occurrences below which a token gets no vector of its own and reads as unknown",
    )
    stem_fallback: bool = Field(
        default=False,
        description="yes or no: a token below min_count whose stem (NLTK's Snowball stemmer) is known "
        "reads with the mean vector of that stem; off in the shipped model, effect not measured",
    )


class EmbeddingConfig(_Section):
    """word2vec over every text at hand."""

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
        default=8, ge=1, le=50, description="wrong words per right one: small corpora want 5 to 20"
    )
    subsample: float = Field(
        default=0.0001,
        ge=0.0,
        le=1.0,
        description="share of all tokens from which on a word is skipped at random; 0 never skips",
    )
    skip_gram: bool = Field(
        default=True,
        description="yes or no: skip-gram serves rare names better than CBOW on small corpora",
    )


class ModelConfig(_Section):
    """Which network, and how hard it is held back from memorising."""

    architecture: str = Field(
        default="bilstm_attention", description="a name in training.neural.ARCHITECTURES"
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
        description="share of tokens read as unknown: names must not decide",
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


class PhaseConfig(_Section):
    """One stretch of training: on the extra texts first, then on the data."""

    epochs: int = Field(default=20, ge=0, le=1000, description="passes over the rows, at most")
    learning_rate: float = Field(
        default=0.001,
        gt=0.0,
        le=1.0,
        description="Adam's step, at its highest; falls as a half cosine",
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
        description="share of a label spread over all: labels are noisy",
    )
    loss: Literal["cross_entropy", "focal"] = Field(
        default="cross_entropy", description="focal loss plays easy rows down"
    )
    focal_gamma: float = Field(
        default=2.0, ge=0.0, le=10.0, description="exponent of focal loss: 2 is its authors' choice"
    )
    class_weight_power: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        description="exponent on the inverse class share: 0 counts rows alike, 1 classes alike",
    )
    sampling: Literal["as_is", "balanced"] = Field(
        default="as_is", description="balanced draws classes alike, with repeats"
    )
    gradient_norm: float = Field(
        default=1.0,
        gt=0.0,
        description="length a gradient is cut to: recurrent nets jump otherwise",
    )


class LinearModelsConfig(_Section):
    """The closed-form models of the whole text."""

    word_strictness: float = Field(
        default=0.5, gt=0.0, description="cost of a row on the wrong side (C), words as features"
    )
    spelling_strictness: float = Field(
        default=0.3, gt=0.0, description="the same with letter groups, which overfit sooner"
    )
    gamma: float = Field(
        default=2.0, gt=0.0, description="fall of nearness with the squared distance (0 to 4)"
    )
    ridge: float = Field(
        default=1.0, gt=0.0, description="penalty that keeps single rows from ruling the kernel"
    )
    shared_words: float = Field(
        default=0.5, ge=0.0, description="what shared words count in the kernel, beside nearness"
    )
    class_weight_power: float = Field(
        default=0.5, ge=0.0, le=1.0, description="exponent on a row's inverse class share (kernel)"
    )
    extra_weight: float = Field(
        default=0.3, ge=0.0, le=1.0, description="weight of a believed extra row; 1: as a data row"
    )
    extra_per_class: int = Field(
        default=400, ge=0, description="believed extra rows per label, the surest; 0: use none"
    )
    believe_tilt: float = Field(
        default=0.4,
        ge=0.0,
        le=1.0,
        description="share of the log class share taken off before a tag is believed, so that "
        "rare labels are believed too",
    )
    most_rows: int = Field(
        default=6000,
        ge=10,
        le=20000,
        description="rows the kernel keeps, at most: 0.24 kB each in the model, and solving takes "
        "the cube",
    )


class TeachingConfig(_Section):
    """Extra texts for the sequence model, labelled by the experts instead of by readers' tags."""

    rows_per_class: int = Field(
        default=500, ge=0, description="texts per label, those the experts are surest of"
    )
    weight: float = Field(
        default=0.5, gt=0.0, le=1.0, description="weight of such a text; 1: as a data row"
    )
    tilt: float = Field(
        default=0.3,
        ge=0.0,
        le=1.0,
        description="share of the log class share taken off the soft labels: the sequence model "
        "would forget rare labels otherwise",
    )


class StylesConfig(_Section):
    """Labels whose texts are known to be all plots, or all blurbs.

    From them it is learned to tell the two styles, whose F1 is then reported apart: where style and
    label go together, a model may have learned the style.
    """

    plot: tuple[str, ...] = Field(
        default=("crime",), description="labels: all their texts retell the plot (Wikipedia)"
    )
    blurb: tuple[str, ...] = Field(
        default=("psychology", "romance", "sports", "travel"),
        description="labels: all their texts advertise the book (publishers, by way of Goodreads)",
    )


class CalibrationConfig(_Section):
    """What a confidence promises."""

    precision: float = Field(
        default=0.95,
        gt=0.0,
        lt=1.0,
        description="share of rows that must be right among those not sent to review",
    )
    coverage: float = Field(
        default=0.9,
        gt=0.0,
        lt=1.0,
        description="share of rows whose genre_set must hold the right genre",
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
        default=7, ge=0, description="no unit: weights, order of rows and dropout follow it"
    )
    split: SplitConfig = SplitConfig()
    text: TextConfig = TextConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    model: ModelConfig = ModelConfig()
    experts: LinearModelsConfig = LinearModelsConfig()
    teaching: TeachingConfig = TeachingConfig()
    pretraining: PhaseConfig = PhaseConfig(
        epochs=4, learning_rate=0.003, patience=4, batch_rows=64, label_smoothing=0.0
    )
    training: PhaseConfig = PhaseConfig(
        epochs=20, learning_rate=0.003, batch_rows=32, label_smoothing=0.1
    )
    styles: StylesConfig = StylesConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    tensorboard: bool = Field(
        default=False, description="yes or no: write TensorBoard logs beside the CSV log"
    )


def read_config(path: Path = DEFAULT_CONFIG) -> TrainingConfig:
    """The configuration in a JSON file; keys left out keep their defaults.

    Raises:
        TrainingError: the file is missing, is not JSON, or a key is unknown or has a wrong value;
            the sentence names the key.
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
    """The configuration in parsed JSON; ``origin`` names it in errors.

    Raises:
        TrainingError: a key is unknown or has a wrong value.
    """
    try:
        return TrainingConfig.model_validate(content)
    except ValidationError as error:
        raise TrainingError(f"{origin}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"]) or "the document"
    if problem["type"] == "extra_forbidden":
        return f"there is no setting named '{key}'; remove it or correct its name."
    return f"'{key}' is wrong: {problem['msg']} (found {problem['input']!r})."
