"""A SavedModel in its own session, run by tensor names as in TensorFlow Serving."""

from __future__ import annotations

import gc
from pathlib import Path
from types import MappingProxyType

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.errors import ExecutionFailed, NoSuchSignature
from serving.tensors import choose_outputs, read_inputs, write_output

DEFAULT_SIGNATURE = "serving_default"

# TensorFlow's and gRPC's error codes have the same numbers.
_GRPC_CODES = MappingProxyType({code.value[0]: code for code in grpc.StatusCode})


class SavedModelSession:
    """A loaded version. Thread-safe until `close`.

    Attributes:
        signatures: the definition of each signature by its name.
    """

    def __init__(self, folder: Path, *, intra_op_threads: int, inter_op_threads: int) -> None:
        """Load the SavedModel, restore variables and initialise lookup tables.

        Args:
            folder: contains `saved_model.pb`.
            intra_op_threads: threads within one operation; 0: TensorFlow chooses.
            inter_op_threads: threads across operations; 0: TensorFlow chooses.

        Raises:
            Exception: of any type, if TensorFlow cannot load the folder.
        """
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(
            graph=graph,
            config=tf.compat.v1.ConfigProto(
                intra_op_parallelism_threads=intra_op_threads,
                inter_op_parallelism_threads=inter_op_threads,
                # Otherwise the first session's inter-op setting would apply to all sessions.
                use_per_session_threads=True,
            ),
        )
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.loader.load(
                    self._session, [tf.saved_model.SERVING], str(folder)
                )
        except BaseException:
            self._session.close()
            raise
        graph.finalize()
        self.signatures = MappingProxyType(
            # The exporter's internal signatures, such as table initialisation, have this prefix.
            {
                name: definition
                for name, definition in meta_graph.signature_def.items()
                if not name.startswith("__saved_model")
            }
        )

    def predict(
        self, request: predict_pb2.PredictRequest, *, timeout_s: float | None
    ) -> predict_pb2.PredictResponse:
        """Run a signature.

        Args:
            request: `model_spec` names the signature; its name and version are ignored.
            timeout_s: seconds after which the run is cancelled; None: never.

        Returns:
            The requested outputs; `model_spec` names the signature that ran.

        Raises:
            NoSuchSignature: the model has no signature of that name.
            InvalidRequest: the inputs or the output filter do not match the signature.
            ExecutionFailed: TensorFlow's error; `DEADLINE_EXCEEDED` after the timeout.
        """
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise NoSuchSignature(f'Serving signature key "{name}" not found.')
        signature = self.signatures[name]
        feeds = read_inputs(signature, request.inputs)
        fetches = choose_outputs(signature, request.output_filter)
        options = None
        if timeout_s is not None:
            options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, int(timeout_s * 1000)))
        try:
            values = self._session.run(fetches, feeds, options=options)
        except tf.errors.OpError as error:
            raise ExecutionFailed(_GRPC_CODES[error.error_code], error.message) from error
        response = predict_pb2.PredictResponse()
        response.model_spec.signature_name = name
        for output, value in values.items():
            response.outputs[output].CopyFrom(write_output(value))
        return response

    def close(self) -> None:
        """Free variables and tables."""
        self._session.close()
        # The graph has reference cycles, and this process triggers the collector rarely: without
        # this call every replaced version would leave megabytes allocated.
        del self._session
        gc.collect()
