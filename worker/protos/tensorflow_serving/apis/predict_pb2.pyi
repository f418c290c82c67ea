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
class PredictRequest(Message):
    class InputsEntry(Message):
        key: str
        @property
        def value(self) -> worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto: ...
        def __init__(self, *, key: str | None = ..., value: worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto | None = ...) -> None: ...
    class RequestOptions(Message):
        DETERMINISTIC_MODE_UNSPECIFIED: int
        FIXED_DECODER_SLOT: int
        client_id: bytes
        deterministic_mode: int
        return_additional_arrays_from_prefill: bool
        @property
        def return_stoptokens(self) -> RepeatedScalarFieldContainer[int]: ...
        return_all_stoptokens: bool
        max_cache_length: int
        def __init__(self, *, client_id: bytes | None = ..., deterministic_mode: int | None = ..., return_additional_arrays_from_prefill: bool | None = ..., return_stoptokens: Iterable[int] | None = ..., return_all_stoptokens: bool | None = ..., max_cache_length: int | None = ...) -> None: ...
    @property
    def model_spec(self) -> worker.protos.tensorflow_serving.apis.model_pb2.ModelSpec: ...
    @property
    def inputs(self) -> MessageMap[str, worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto]: ...
    @property
    def output_filter(self) -> RepeatedScalarFieldContainer[str]: ...
    @property
    def predict_streamed_options(self) -> worker.protos.tensorflow_serving.apis.predict_pb2.PredictStreamedOptions: ...
    client_id: bytes
    @property
    def request_options(self) -> worker.protos.tensorflow_serving.apis.predict_pb2.PredictRequest.RequestOptions: ...
    def __init__(self, *, model_spec: worker.protos.tensorflow_serving.apis.model_pb2.ModelSpec | None = ..., inputs: Mapping[str, worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto] | None = ..., output_filter: Iterable[str] | None = ..., predict_streamed_options: worker.protos.tensorflow_serving.apis.predict_pb2.PredictStreamedOptions | None = ..., client_id: bytes | None = ..., request_options: worker.protos.tensorflow_serving.apis.predict_pb2.PredictRequest.RequestOptions | None = ...) -> None: ...
class PredictStreamedOptions(Message):
    NONE: int
    SPLIT: int
    END_SPLIT: int
    CANCEL: int
    class SplitDimensionsEntry(Message):
        key: str
        value: int
        def __init__(self, *, key: str | None = ..., value: int | None = ...) -> None: ...
    request_state: int
    @property
    def split_dimensions(self) -> ScalarMap[str, int]: ...
    return_single_response: bool
    def __init__(self, *, request_state: int | None = ..., split_dimensions: Mapping[str, int] | None = ..., return_single_response: bool | None = ...) -> None: ...
class PredictResponse(Message):
    class OutputsEntry(Message):
        key: str
        @property
        def value(self) -> worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto: ...
        def __init__(self, *, key: str | None = ..., value: worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto | None = ...) -> None: ...
    @property
    def model_spec(self) -> worker.protos.tensorflow_serving.apis.model_pb2.ModelSpec: ...
    @property
    def outputs(self) -> MessageMap[str, worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto]: ...
    def __init__(self, *, model_spec: worker.protos.tensorflow_serving.apis.model_pb2.ModelSpec | None = ..., outputs: Mapping[str, worker.protos.tensorflow.core.framework.tensor_pb2.TensorProto] | None = ...) -> None: ...
