"""Bills of materials and licences of all pinned packages, and images pinned by digest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.licences import licence, page

ROOT = Path(__file__).parents[2]
SBOM = ROOT / "var" / "sbom"
SETS = ("laptop", "api", "worker", "serving", "training")
DIGEST = "sha256:" + "0123456789abcdef" * 4


def pinned(name: str) -> set[tuple[str, str]]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", text, flags=re.M))


def test_every_requirement_is_pinned_with_a_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        lines = re.sub(r"\\\n", " ", path.read_text()).splitlines()
        assert lines
        assert [x for x in lines if not ("==" in x and "--hash=sha256:" in x)] == [], path.name


@pytest.mark.parametrize("name", SETS)
def test_the_bill_of_materials_has_every_pinned_package(name: str) -> None:
    path = SBOM / f"{name}.cdx.json"
    if not path.exists() and "CI" not in os.environ:
        pytest.skip("`make sbom` has not been run")
    bill = json.loads(path.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    listed = {(c["name"], c["version"]) for c in bill["components"]}
    assert len(listed) > 20
    assert listed == pinned(name), "run `make sbom` again"
    for component in bill["components"]:
        hashes = [h for r in component["externalReferences"] for h in r.get("hashes", [])]
        assert hashes, component["name"]


def test_the_list_of_licences_has_every_pinned_package() -> None:
    path = SBOM / "licences.md"
    if not path.exists() and "CI" not in os.environ:
        pytest.skip("`make sbom` has not been run")
    rows = [line.split(" | ") for line in path.read_text().splitlines() if " | " in line][1:]
    listed = {(row[0].removeprefix("| "), row[1]) for row in rows}
    assert listed == set().union(*map(pinned, SETS)), "run `make sbom` again"
    assert all(row[2] for row in rows)


def test_a_licence_is_read_from_any_metadata_field(tmp_path: Path) -> None:
    assert licence("flask") == "BSD-3-Clause"  # an expression
    assert "Apache" in licence("tensorflow")  # a header
    assert "BSD" in licence("amqp")
    assert licence("no-such-package") == "not installed on this system"
    bill = {"components": [{"name": "flask", "version": "1"}, {"name": "Zope", "version": "2"}]}
    for name in ("api", "worker"):
        (tmp_path / f"{name}.cdx.json").write_text(json.dumps(bill))
    rows = page(sorted(tmp_path.iterdir())).splitlines()[-2:]
    assert rows[0] == "| flask | 1 | BSD-3-Clause | api, worker |"
    assert rows[1] == "| Zope | 2 | not installed on this system | api, worker |"


def pin(tmp_path: Path, docker: str) -> subprocess.CompletedProcess[str]:
    """Run the script on a copy with a fake `docker`, because tests can reach no registry."""
    (tmp_path / "deploy").mkdir(exist_ok=True)
    for name in ("docker-compose.yml", "deploy/Dockerfile", "deploy/pin_images.sh"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "bin" / "docker").write_text(f"#!/bin/sh\n{docker}\n")
    (tmp_path / "bin" / "docker").chmod(0o755)
    return subprocess.run(
        [tmp_path / "deploy" / "pin_images.sh"],
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )


def test_images_of_others_are_pinned_by_digest_and_own_images_are_not(tmp_path: Path) -> None:
    result = pin(tmp_path, f"echo {DIGEST}")
    assert result.returncode == 0, result.stderr
    compose = (tmp_path / "docker-compose.yml").read_text()
    images = re.findall(r"^ +image: (.+)$", compose, flags=re.M)
    own_images = [image for image in images if image.startswith("spinelabel/")]
    other_images = [image for image in images if image not in own_images]
    assert len(other_images) == 4
    assert all(re.fullmatch(rf"[\w./-]+:[\w.-]+@{DIGEST}", image) for image in other_images)
    assert not any("@" in image for image in own_images)
    assert f"@{DIGEST}\n" in (tmp_path / "deploy" / "Dockerfile").read_text()


def test_without_a_registry_nothing_is_written(tmp_path: Path) -> None:
    result = pin(tmp_path, "echo 'no such host' >&2; exit 1")
    assert result.returncode != 0
    assert "no such host" in result.stderr
    assert (tmp_path / "docker-compose.yml").read_text() == (
        ROOT / "docker-compose.yml"
    ).read_text()
