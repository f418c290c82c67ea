"""The vendored protobuf modules are those of the wheels and load without TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from tools import regenerate_protos

WITHOUT_TENSORFLOW = """
import sys
from worker.protos.tensorflow_serving.apis import get_model_status_pb2, predict_pb2
request = predict_pb2.PredictRequest()
request.inputs["summary"].string_val.append(b"a ghost")
assert predict_pb2.PredictRequest.FromString(request.SerializeToString()) == request
loaded = [name for name in sys.modules if name.split(".")[0].startswith("tensorflow")]
assert not loaded, loaded
"""

WITH_TENSORFLOW = """
from worker.protos.tensorflow_serving.apis import predict_pb2 as vendored
from tensorflow_serving.apis import predict_pb2 as real
assert vendored.PredictRequest is real.PredictRequest
"""


def test_regenerating_gives_the_committed_files() -> None:
    generated = regenerate_protos.generate()
    committed = {
        PurePosixPath(path.relative_to(regenerate_protos.HERE)): path.read_text(encoding="utf-8")
        for package in regenerate_protos.WHEELS
        for path in (regenerate_protos.HERE / package).rglob("*.py")
    }
    assert committed == generated, "run: python -m tools.regenerate_protos"


@pytest.mark.parametrize(
    ("program", "case"),
    [(WITHOUT_TENSORFLOW, "alone"), (WITH_TENSORFLOW, "beside the wheels' own modules")],
    ids=["alone", "beside_tensorflow"],
)
def test_the_modules_load_without_a_warning(program: str, case: str) -> None:
    # Protobuf's warnings about generated code start with this word.
    strict = ["-W", "error:Protobuf", "-c", program]
    done = subprocess.run(
        [sys.executable, *strict], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{case}: {done.stderr}"
