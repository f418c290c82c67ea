"""How a catalogue is to be labelled, as far as a caller may choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """The server finds and decides what is not given."""

    summary_column: str | None = None
    title_column: str | None = None
    evidence: bool = False
    alternatives: int = 0
    neutralise_formulas: bool = False

    def query(self) -> dict[str, str]:
        """The same as parameters of an upload."""
        given = {"summary_column": self.summary_column, "title_column": self.title_column}
        query = {name: value for name, value in given.items() if value is not None}
        flags = {"evidence": self.evidence, "neutralise_formulas": self.neutralise_formulas}
        query |= {name: "true" for name, wanted in flags.items() if wanted}
        return query | ({"alternatives": str(self.alternatives)} if self.alternatives else {})
