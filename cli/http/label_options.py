"""The options of a job that a client can choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """Options of one upload. The server detects columns that are not named."""

    summary_column: str | None = None
    title_column: str | None = None
    evidence: bool = False
    alternatives: int = 0
    neutralise_formulas: bool = False

    def query(self) -> dict[str, str]:
        """The options as query parameters."""
        columns = {"summary_column": self.summary_column, "title_column": self.title_column}
        query = {name: value for name, value in columns.items() if value is not None}
        flags = {"evidence": self.evidence, "neutralise_formulas": self.neutralise_formulas}
        query |= {name: "true" for name, enabled in flags.items() if enabled}
        return query | ({"alternatives": str(self.alternatives)} if self.alternatives else {})
