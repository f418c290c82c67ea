"""The official image's configuration files can be parsed and match the embedded server."""

from __future__ import annotations

import pytest
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.wrappers_pb2 import DESCRIPTOR as WRAPPERS
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.settings import ServingSettings
from tests.serving.server_process import REPOSITORY
from worker.settings import WorkerSettings

OFFICIAL = REPOSITORY / "serving" / "official"


def test_the_models_file_keeps_as_many_versions_as_the_embedded_server() -> None:
    text = (OFFICIAL / "models.config").read_text(encoding="utf-8")
    parsed = MessageToDict(text_format.Parse(text, ModelServerConfig()))
    (model,) = parsed["modelConfigList"]["config"]
    defaults = ServingSettings.model_fields
    assert model == {
        "name": defaults["model_name"].default,
        "basePath": f"/models/{defaults['model_name'].default}",
        "modelPlatform": "tensorflow",
        "modelVersionPolicy": {
            "latest": {"numVersions": defaults["serving_versions"].default},
        },
    }


# The client package lacks these two messages. Names, numbers and types are those of TensorFlow Serving's
# session_bundle_config.proto and monitoring_config.proto.
INT64, BOOL, STRING = (
    FieldDescriptorProto.TYPE_INT64,
    FieldDescriptorProto.TYPE_BOOL,
    FieldDescriptorProto.TYPE_STRING,
)


def field(
    name: str,
    number: int,
    field_type: FieldDescriptorProto.Type.ValueType | str,
    *,
    repeated: bool = False,
) -> FieldDescriptorProto:
    descriptor = FieldDescriptorProto(name=name, number=number)
    descriptor.label = (
        FieldDescriptorProto.LABEL_REPEATED if repeated else descriptor.LABEL_OPTIONAL
    )
    if isinstance(field_type, str):
        descriptor.type_name = field_type
    descriptor.type = (
        FieldDescriptorProto.TYPE_MESSAGE if isinstance(field_type, str) else field_type
    )
    return descriptor


MESSAGES = [
    DescriptorProto(
        name="BatchingParameters",
        field=[
            field("max_batch_size", 1, ".google.protobuf.Int64Value"),
            field("batch_timeout_micros", 2, ".google.protobuf.Int64Value"),
            field("max_enqueued_batches", 3, ".google.protobuf.Int64Value"),
            field("num_batch_threads", 4, ".google.protobuf.Int64Value"),
            field("thread_pool_name", 5, ".google.protobuf.StringValue"),
            field("allowed_batch_sizes", 6, INT64, repeated=True),
            field("pad_variable_length_inputs", 7, BOOL),
        ],
    ),
    DescriptorProto(
        name="PrometheusConfig", field=[field("enable", 1, BOOL), field("path", 2, STRING)]
    ),
    DescriptorProto(
        name="MonitoringConfig",
        field=[field("prometheus_config", 1, ".tensorflow.serving.PrometheusConfig")],
    ),
]


@pytest.fixture(scope="module")
def messages() -> DescriptorPool:
    pool = DescriptorPool()
    pool.AddSerializedFile(WRAPPERS.serialized_pb)
    schema = FileDescriptorProto(
        name="schema.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=[WRAPPERS.name],
        message_type=MESSAGES,
    )
    pool.AddSerializedFile(schema.SerializeToString())
    return pool


def parse(pool: DescriptorPool, message: str, file: str) -> Message:
    empty = GetMessageClass(pool.FindMessageTypeByName(f"tensorflow.serving.{message}"))()
    return text_format.Parse((OFFICIAL / file).read_text(encoding="utf-8"), empty)


def test_the_batching_file_allows_the_largest_batch_of_a_worker(messages: DescriptorPool) -> None:
    parsed = MessageToDict(parse(messages, "BatchingParameters", "batching.config"))
    assert int(parsed["maxBatchSize"]) >= WorkerSettings.model_fields["batch_rows"].default
    assert set(parsed) == {
        "maxBatchSize",
        "batchTimeoutMicros",
        "maxEnqueuedBatches",
        "numBatchThreads",
    }


def test_the_monitoring_file_enables_prometheus(messages: DescriptorPool) -> None:
    parsed = MessageToDict(parse(messages, "MonitoringConfig", "monitoring.config"))
    assert parsed == {
        "prometheusConfig": {"enable": True, "path": "/monitoring/prometheus/metrics"}
    }
