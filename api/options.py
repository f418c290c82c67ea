"""What a caller may choose for a job, from the query or from form fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from api.problems import Problem

OPTIONS = frozenset({"summary_column", "error_threshold"})


@dataclass(frozen=True, kw_only=True)
class Options:
    """An empty value counts as not given."""

    summary_column: str | None = None
    error_threshold: float | None = None  # share of failed rows, 0 to 1, at which the job stops

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Options:
        """The options among `values`. Raises `Problem` for one that cannot be used."""
        options = cls()
        for name in sorted(OPTIONS & set(values)):
            options = options.updated(name, values[name])
        return options

    def updated(self, name: str, value: str) -> Options:
        """The same with one more given. Raises `Problem` for a value that cannot be used."""
        if name == "summary_column":
            return replace(self, summary_column=value or None)
        return replace(self, error_threshold=_share(name, value) if value.strip() else None)


def _share(name: str, value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:  # NaN is not
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "INVALID_OPTION",
            f"{name!r} has to be a share from 0 to 1, such as 0.05; it is {value[:32]!r}.",
        )
    return share
