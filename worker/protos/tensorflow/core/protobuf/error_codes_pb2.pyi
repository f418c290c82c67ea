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
