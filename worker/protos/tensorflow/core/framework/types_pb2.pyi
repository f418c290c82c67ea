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
DT_INVALID: int
DT_FLOAT: int
DT_DOUBLE: int
DT_INT32: int
DT_UINT8: int
DT_INT16: int
DT_INT8: int
DT_STRING: int
DT_COMPLEX64: int
DT_INT64: int
DT_BOOL: int
DT_QINT8: int
DT_QUINT8: int
DT_QINT32: int
DT_BFLOAT16: int
DT_QINT16: int
DT_QUINT16: int
DT_UINT16: int
DT_COMPLEX128: int
DT_HALF: int
DT_RESOURCE: int
DT_VARIANT: int
DT_UINT32: int
DT_UINT64: int
DT_FLOAT8_E5M2: int
DT_FLOAT8_E4M3FN: int
DT_FLOAT8_E4M3FNUZ: int
DT_FLOAT8_E4M3B11FNUZ: int
DT_FLOAT8_E5M2FNUZ: int
DT_INT4: int
DT_UINT4: int
DT_INT2: int
DT_UINT2: int
DT_FLOAT_REF: int
DT_DOUBLE_REF: int
DT_INT32_REF: int
DT_UINT8_REF: int
DT_INT16_REF: int
DT_INT8_REF: int
DT_STRING_REF: int
DT_COMPLEX64_REF: int
DT_INT64_REF: int
DT_BOOL_REF: int
DT_QINT8_REF: int
DT_QUINT8_REF: int
DT_QINT32_REF: int
DT_BFLOAT16_REF: int
DT_QINT16_REF: int
DT_QUINT16_REF: int
DT_UINT16_REF: int
DT_COMPLEX128_REF: int
DT_HALF_REF: int
DT_RESOURCE_REF: int
DT_VARIANT_REF: int
DT_UINT32_REF: int
DT_UINT64_REF: int
DT_FLOAT8_E5M2_REF: int
DT_FLOAT8_E4M3FN_REF: int
DT_FLOAT8_E4M3FNUZ_REF: int
DT_FLOAT8_E4M3B11FNUZ_REF: int
DT_FLOAT8_E5M2FNUZ_REF: int
DT_INT4_REF: int
DT_UINT4_REF: int
DT_INT2_REF: int
DT_UINT2_REF: int
class SerializedDType(Message):
    datatype: int
    def __init__(self, *, datatype: int | None = ...) -> None: ...
