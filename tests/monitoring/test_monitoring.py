"""Alerts and the dashboard use metrics, labels, routes and services that exist."""

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
from jobs.job import Chunk, NewJob, PinnedModel
from jobs.memory.api_keys import MemoryApiKeyStore
from jobs.memory.corrections import MemoryCorrectionStore
from jobs.memory.job_store import memory_job_store
from jobs.memory.label_requests import MemoryLabelRequests
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import PLAN, label_step
from jobs.queue.task_queue import RecordingTaskQueue
from tests.small_schema import SCHEMA
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
    _label_a_row(store)
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


def _label_a_row(store: JobStore) -> None:
    """Genres have series once a row has one."""
    store.jobs.create(NewJob(id="j", filename="c.csv", input_bytes=1, schema=SCHEMA))
    claim = store.leases.claim("j", PLAN, lease_s=60)
    assert claim is not None
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    chunk = Chunk(index=0, start=0, end=1, first_row=1, rows=1)
    store.chunks.add(claim, [chunk], last=True, window=1)
    claim = store.leases.claim("j", label_step(0), lease_s=60)
    assert claim is not None
    store.chunks.commit(claim, 0, labelled=1, failed=0, manifest="", window=1, genres={"crime": 1})


@pytest.fixture(scope="module")
def samples(app: Any) -> dict[str, list[dict[str, str]]]:
    """Name of every sample → the sets of labels that it has."""
    client = app.test_client()
    client.get("/healthz")
    labels_by_name: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels_by_name.setdefault(sample.name, []).append(sample.labels)
    return labels_by_name


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in ALERTS] + panels


def test_every_metric_in_an_expression_exists(samples: dict[str, list[dict[str, str]]]) -> None:
    used = {name for text in expressions() for name in _METRIC.findall(text)}
    assert used
    assert used <= samples.keys()


def test_every_label_in_an_expression_exists(samples: dict[str, list[dict[str, str]]]) -> None:
    for text in expressions():
        for name, matchers in re.findall(r"(spinelabel_\w+)\{([^}]*)\}", text):
            used = set(re.findall(r"(\w+)(?:=~|!=|=)", matchers))
            assert all(used <= labels.keys() for labels in samples[name]), text


def test_every_label_in_a_grouping_exists(samples: dict[str, list[dict[str, str]]]) -> None:
    grouped = [
        (name, label)
        for text in expressions()
        for labels, name in re.findall(r"by \(([\w, ]+)\) \((?:\w+\()?(spinelabel_\w+)", text)
        for label in labels.split(", ")
        if label != "instance"  # Prometheus adds it
    ]
    assert ("spinelabel_labelled_rows_total", "genre") in grouped
    for name, label in grouped:
        assert all(label in labels for labels in samples[name]), (name, label)


def test_every_route_in_an_expression_exists(app: Any) -> None:
    routes = {rule.rule for rule in app.url_map.iter_rules()}
    assert {route for text in expressions() for route in _ROUTE.findall(text)} <= routes


def test_every_alert_has_a_summary_and_is_in_the_handbook() -> None:
    handbook = OPERATORS.read_text("utf-8")
    for rule in ALERTS:
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert f"`{rule['alert']}`" in handbook


def test_the_handbook_lists_exactly_the_exposed_metrics(app: Any) -> None:
    section = OPERATORS.read_text("utf-8").partition("### All metrics")[2].partition("\n#")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    listed = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    families = text_string_to_metric_families(app.test_client().get("/metrics").text)
    exposed = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in families
        if family.name.startswith("spinelabel_") and not family.name.endswith("_created")
    }
    assert {f"spinelabel_{name}" for name in listed} == exposed


def test_scrape_targets_are_services_and_monitoring_images_are_pinned() -> None:
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
    "arguments",
    [
        ("check", "rules", str(MONITORING / "alerts.yml")),
        ("test", "rules", str(Path(__file__).with_name("alerts_test.yml"))),
    ],
    ids=" ".join,
)
def test_promtool_accepts_the_rules(arguments: tuple[str, ...]) -> None:
    result = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
