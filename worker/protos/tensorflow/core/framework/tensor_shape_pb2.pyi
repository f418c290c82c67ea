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
class TensorShapeProto(Message):
    class Dim(Message):
        size: int
        name: str
        def __init__(self, *, size: int | None = ..., name: str | None = ...) -> None: ...
    @property
    def dim(self) -> RepeatedCompositeFieldContainer[worker.protos.tensorflow.core.framework.tensor_shape_pb2.TensorShapeProto.Dim]: ...
    unknown_rank: bool
    def __init__(self, *, dim: Iterable[worker.protos.tensorflow.core.framework.tensor_shape_pb2.TensorShapeProto.Dim] | None = ..., unknown_rank: bool | None = ...) -> None: ...
