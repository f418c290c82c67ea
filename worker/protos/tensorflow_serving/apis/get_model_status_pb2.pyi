# ruff: noqa
# fmt: off
from collections.abc import Iterable, Mapping
from google.protobuf.internal.containers import MessageMap, ScalarMap
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from google.protobuf.internal.containers import RepeatedScalarFieldContainer
from google.protobuf.message import Message
import google.protobuf.wrappers_pb2
import worker.protos.tensorflow.core.framework.resource_handle_pb2
import worker.protos.tensorflow.core.framework.tensor_pb2
import worker.protos.tensorflow.core.framework.tensor_shape_pb2
import worker.protos.tensorflow.core.framework.types_pb2
import worker.protos.tensorflow.core.protobuf.error_codes_pb2
import worker.protos.tensorflow_serving.apis.get_model_status_pb2
import worker.protos.tensorflow_serving.apis.model_pb2
import worker.protos.tensorflow_serving.apis.predict_pb2
import worker.protos.tensorflow_serving.apis.status_pb2
import worker.protos.tensorflow.compiler.xla.tsl.protobuf.error_codes_pb2
class GetModelStatusRequest(Message):
    @property
    def model_spec(self) -> worker.protos.tensorflow_serving.apis.model_pb2.ModelSpec: ...
    def __init__(self, *, model_spec: worker.protos.tensorflow_serving.apis.model_pb2.ModelSpec | None = ...) -> None: ...
class ModelVersionStatus(Message):
    UNKNOWN: int
    START: int
    LOADING: int
    AVAILABLE: int
    UNLOADING: int
    END: int
    version: int
    state: int
    @property
    def status(self) -> worker.protos.tensorflow_serving.apis.status_pb2.StatusProto: ...
    def __init__(self, *, version: int | None = ..., state: int | None = ..., status: worker.protos.tensorflow_serving.apis.status_pb2.StatusProto | None = ...) -> None: ...
class GetModelStatusResponse(Message):
    @property
    def model_version_status(self) -> RepeatedCompositeFieldContainer[worker.protos.tensorflow_serving.apis.get_model_status_pb2.ModelVersionStatus]: ...
    def __init__(self, *, model_version_status: Iterable[worker.protos.tensorflow_serving.apis.get_model_status_pb2.ModelVersionStatus] | None = ...) -> None: ...
