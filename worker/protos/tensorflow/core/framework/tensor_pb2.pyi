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
class TensorProto(Message):
    dtype: int
    @property
    def tensor_shape(self) -> worker.protos.tensorflow.core.framework.tensor_shape_pb2.TensorShapeProto: ...
    version_number: int
    tensor_content: bytes
    @property
    def half_val(self) -> RepeatedScalarFieldContainer[int]: ...
    @property
    def float_val(self) -> RepeatedScalarFieldContainer[float]: ...
    @property
    def double_val(self) -> RepeatedScalarFieldContainer[float]: ...
    @property
    def int_val(self) -> RepeatedScalarFieldContainer[int]: ...
    @property
    def string_val(self) -> RepeatedScalarFieldContainer[bytes]: ...
    @property
    def scomplex_val(self) -> RepeatedScalarFieldContainer[float]: ...
    @property
    def int64_val(self) -> RepeatedScalarFieldContainer[int]: ...
    @property
    def bool_val(self) -> RepeatedScalarFieldContainer[bool]: ...
    @property
    def dcomplex_val(self) -> RepeatedScalarFieldContainer[float]: ...
    @property
    def resource_handle_val(self) -> RepeatedCompositeFieldContainer[worker.protos.tensorflow.core.framework.resource_handle_pb2.ResourceHandleProto]: ...
    @property
    def variant_val(self) -> RepeatedCompositeFieldContainer[worker.protos.tensorflow.core.framework.tensor_pb2.VariantTensorDataProto]: ...
    @property
    def uint32_val(self) -> RepeatedScalarFieldContainer[int]: ...
    @property
    def uint64_val(self) -> RepeatedScalarFieldContainer[int]: ...
    float8_val: bytes
    def __init__(self, *, dtype: int | None = ..., tensor_shape: worker.protos.tensorflow.core.framework.tensor_shape_pb2.TensorShapeProto | None = ..., version_number: int | None = ..., tensor_content: bytes | None = ..., half_val: Iterable[int] | None = ..., float_val: Iterable[float] | None = ..., double_val: Iterable[float] | None = ..., int_val: Iterable[int] | None = ..., string_val: Iterable[bytes] | None = ..., scomplex_val: Iterable[float] | None = ..., int64_val: Iterable[int] | None = ..., bool_val: Iterable[bool] | None = ..., dcomplex_val: Iterable[float] | None = ..., resource_handle_val: Iterable[worker.protos.tensorflow.core.framework.resource_handle_pb2.ResourceHandleProto] | None = ..., variant_val: Iterable[worker.protos.tensorflow.core.framework.tensor_pb2.VariantTensorDataProto] | None = ..., uint32_val: Iterable[int] | None = ..., uint64_val: Iterable[int] | None = ..., float8_val: bytes | None = ...) -> None: ...
class VariantTensorDataProto(Message):
    type_name: str
    metadata: bytes
    @property
    def tensors(self) -> RepeatedCompositeFieldContainer[worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto]: ...
    def __init__(self, *, type_name: str | None = ..., metadata: bytes | None = ..., tensors: Iterable[worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto] | None = ...) -> None: ...
