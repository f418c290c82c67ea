"""Alerts and the dashboard speak of figures that exist, and of services that are there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.dependencies import Services
from api.settings import ApiSettings
from jobs.files.storage import Storage
from jobs.memory.api_keys import MemoryApiKeyStore
from jobs.memory.corrections import MemoryCorrectionStore
from jobs.memory.job_store import memory_job_store
from jobs.memory.label_requests import MemoryLabelRequests
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.queue.task_queue import RecordingTaskQueue
from tests.stack import ROOT

MONITORING = ROOT / "deploy" / "monitoring"
OPERATORS = ROOT / "docs" / "operators.md"
ALERTS = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((MONITORING / "grafana" / "spinelabel.json").read_text("utf-8"))
_METRIC = re.compile(r"\bspinelabel_\w+")
_ROUTE = re.compile(r'route="([^"]+)"')


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = memory_job_store()
    store.workers.report("one", {"version": 1, "labels": []})
    services = Services(
        store=store,
        storage=Storage(str(tmp_path_factory.mktemp("storage"))),
        task_queue=RecordingTaskQueue(),
        corrections=MemoryCorrectionStore(),
        label_requests=MemoryLabelRequests(),
        keys=MemoryApiKeyStore(),
        webhooks=MemoryWebhookStore(),
        rate_limit_url="memory://",
    )
    return create_app(ApiSettings(), services)


@pytest.fixture(scope="module")
def samples(app: Any) -> dict[str, list[dict[str, str]]]:
    """Name of every sample → the labels under which it is there."""
    client = app.test_client()
    client.get("/healthz")
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in ALERTS] + panels


def test_every_figure_that_is_asked_for_exists(samples: dict[str, list[dict[str, str]]]) -> None:
    asked = {name for text in expressions() for name in _METRIC.findall(text)}
    assert asked
    assert asked <= samples.keys()


def test_every_label_that_is_asked_for_exists(samples: dict[str, list[dict[str, str]]]) -> None:
    for text in expressions():
        for name, inside in re.findall(r"(spinelabel_\w+)\{([^}]*)\}", text):
            asked = set(re.findall(r"(\w+)(?:=~|!=|=)", inside))
            assert all(asked <= labels.keys() for labels in samples[name]), text


def test_every_route_that_is_asked_for_exists(app: Any) -> None:
    routes = {rule.rule for rule in app.url_map.iter_rules()}
    assert {route for text in expressions() for route in _ROUTE.findall(text)} <= routes


def test_every_alert_has_a_sentence_and_a_place_in_the_handbook() -> None:
    handbook = OPERATORS.read_text("utf-8")
    for rule in ALERTS:
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert f"`{rule['alert']}`" in handbook


def test_what_is_scraped_is_a_service_and_its_images_are_pinned() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    services = compose["services"]
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text("utf-8"))
    for job in config["scrape_configs"]:
        for name in [n for c in job.get("dns_sd_configs", []) for n in c["names"]]:
            assert name in services
        for target in [t for c in job.get("static_configs", []) for t in c["targets"]]:
            assert target.partition(":")[0] in services
    monitoring = [s for s in services.values() if s.get("profiles") == ["monitoring"]]
    assert len(monitoring) == 2
    for service in monitoring:
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
        assert all("127.0.0.1" in port for port in service["ports"])
        for volume in service["volumes"]:
            source = volume.partition(":-")[2].partition("}")[0] or volume.partition(":")[0]
            assert not source.startswith("./") or (ROOT / source).is_file()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", str(MONITORING / "alerts.yml")),
        ("test", "rules", str(Path(__file__).with_name("alerts_test.yml"))),
    ],
    ids=" ".join,
)
def test_promtool_is_content(words: tuple[str, ...]) -> None:
    said = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
