import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from training.config import DEFAULT_CONFIG, TrainingConfig, read_config
from training.errors import TrainingError


def _write(folder: Path, content: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_shipped_configuration_has_every_setting() -> None:
    written = json.loads(DEFAULT_CONFIG.read_text(encoding="utf-8"))
    assert read_config().model_dump(mode="json") == written


def test_an_unknown_key_is_named_with_its_section(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no setting named 'model\.unitz'"):
        read_config(_write(tmp_path, {"model": {"unitz": 3}}))


def test_an_invalid_value_is_named_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'training\.epochs' is invalid.*'many'"):
        read_config(_write(tmp_path, {"training": {"epochs": "many"}}))


def test_a_value_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'split\.folds' is invalid"):
        read_config(_write(tmp_path, {"split": {"folds": 1}}))


def test_text_that_is_not_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{seed: 1}", encoding="utf-8")
    with pytest.raises(TrainingError, match="is not JSON"):
        read_config(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        read_config(tmp_path / "none.json")


def _fields_without_description(model: type[BaseModel]) -> list[str]:
    missing = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            missing += _fields_without_description(field.annotation)
        elif not field.description:
            missing.append(f"{model.__name__}.{name}")
    return missing


def test_every_setting_has_a_description() -> None:
    assert _fields_without_description(TrainingConfig) == []
