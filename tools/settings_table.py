"""The tables of settings in `docs/operators.md`, made from the code: `python -m tools.settings_table` writes them there.

A setting of a process is a field of its settings object; one of Compose is a `${SPINELABEL_…}` in docker-compose.yml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from api.settings import ApiSettings
from jobs.settings import JobSettings
from serving.settings import ServingSettings
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "operators.md"
BEGIN = "<!-- settings: made by python -m tools.settings_table -->"
END = "<!-- end of settings -->"

# What is Compose's own; it has no place for descriptions.
COMPOSE: Mapping[str, str] = {
    "SPINELABEL_GRAFANA_PUBLISH": "Where Grafana is published.",
    "SPINELABEL_METRICS_KEY": "File with an admin's key, for Prometheus where keys are required.",
    "SPINELABEL_MODEL_MEMORY": "Limit of the model server's memory.",
    "SPINELABEL_PROMETHEUS_PUBLISH": "Where Prometheus is published.",
    "SPINELABEL_PUBLISH": "Where the API is published.",
    "SPINELABEL_SECRETS": "Folder that holds your own `redis_password`.",
    "SPINELABEL_TAG": "Tag of the images that are built.",
    "SPINELABEL_TRAINER_MEMORY": "Limit of the trainer's memory.",
    "SPINELABEL_TRAINING_DATA": "What the trainer learns from.",
    "SPINELABEL_WORKER_MEMORY": "Limit of one worker's memory.",
}
_SERVICES: Mapping[str, type[BaseSettings]] = {"api": ApiSettings, "worker": WorkerSettings}
_VARIABLE = re.compile(r"\$\{(SPINELABEL_\w+):?-?([^}]*)\}")


def compose_variables() -> dict[str, str]:
    """Each variable that Compose itself puts in → its default."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    return dict(_VARIABLE.findall(text))


def handed_on() -> dict[str, set[str]]:
    """Service → the settings that Compose hands on from the shell or `.env`."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    return {
        name: {key for key, value in services[name]["environment"].items() if value is None}
        for name in _SERVICES
    }


def settings_tables() -> str:
    """Everything between the marks."""
    return "\n".join(
        [BEGIN, "", *_compose_table(), "", *_process_table(), "", *_model_table(), END]
    )


def page_with_tables(page: str) -> str:
    """The page with the tables as they are now. Raises `ValueError` if it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no marks {BEGIN} and {END}")
    return f"{before}{settings_tables()}{after}"


def _compose_table() -> Iterator[str]:
    yield "Of Compose:"
    yield ""
    yield from _head("setting", "default", "what")
    for name, default in sorted(compose_variables().items()):
        yield _row(f"`{name}`", _shown(default), COMPOSE[name])


def _process_table() -> Iterator[str]:
    yield "Of the API and the workers. `docker-compose.yml` sets those with a star itself or leaves them at"
    yield "their default; `.env` changes all others. On a laptop, set any of them in the shell that runs"
    yield "`make up`, except the addresses, which it chooses."
    yield ""
    yield from _head("setting", "default", "of", "what")
    in_compose = handed_on()
    for name in sorted({n for model in _SERVICES.values() for n in model.model_fields}):
        owners = [service for service, model in _SERVICES.items() if name in model.model_fields]
        field = _SERVICES[owners[0]].model_fields[name]
        variable = f"SPINELABEL_{name.upper()}"
        free = all(variable in in_compose[service] for service in owners)
        whose = "both" if name in JobSettings.model_fields else owners[0]
        yield _row(
            f"`{variable}`{'' if free else ' *'}",
            _shown(field.default),
            whose,
            field.description or "",
        )


def _model_table() -> Iterator[str]:
    yield "Of the embedded model server, which laptops and tests use in place of the official image:"
    yield ""
    yield from _head("setting", "default", "what")
    for name, field in sorted(ServingSettings.model_fields.items()):
        yield _row(f"`SPINELABEL_{name.upper()}`", _shown(field.default), field.description or "")


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield "|" + "---|" * len(cells)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{json.dumps(value)}`"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{value}`"


def main() -> None:
    """Write the tables into the page."""
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
