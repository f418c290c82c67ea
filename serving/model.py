"""One SavedModel in a session of its own, run by tensor name as TensorFlow Serving runs it."""

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

# TensorFlow's error codes and gRPC's are the same numbers.
_GRPC_CODES = MappingProxyType({code.value[0]: code for code in grpc.StatusCode})


class SavedModelSession:
    """A loaded version. Any number of threads may predict at a time; none after `close`.

    Attributes:
        signatures: each signature's definition by its name.
    """

    def __init__(self, folder: Path, *, intra_op_threads: int, inter_op_threads: int) -> None:
        """Loads the SavedModel: variables restored, lookup tables initialised.

        Args:
            folder: holds `saved_model.pb`.
            intra_op_threads: threads that share one operation; 0 lets TensorFlow choose.
            inter_op_threads: threads that run operations side by side; 0 lets TensorFlow choose.

        Raises:
            Exception: whatever TensorFlow raises for a folder that it cannot load.
        """
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(
            graph=graph,
            config=tf.compat.v1.ConfigProto(
                intra_op_parallelism_threads=intra_op_threads,
                inter_op_parallelism_threads=inter_op_threads,
                # A session's own inter-op pool; without it the first session's setting rules for all.
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
            # Names with this prefix are the exporter's own, such as the one that initialises tables.
            {
                name: definition
                for name, definition in meta_graph.signature_def.items()
                if not name.startswith("__saved_model")
            }
        )

    def predict(
        self, request: predict_pb2.PredictRequest, *, timeout_s: float | None
    ) -> predict_pb2.PredictResponse:
        """Runs one of the signatures.

        Args:
            request: its `model_spec` names the signature; name and version are not looked at.
            timeout_s: the run is broken off after so many seconds; None is never.

        Returns:
            The outputs that the request asks for; `model_spec` says which signature ran.

        Raises:
            NoSuchSignature: the model has no signature of that name.
            InvalidRequest: the inputs or the output filter do not fit it.
            ExecutionFailed: TensorFlow's error, `DEADLINE_EXCEEDED` where the time was up.
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
        """Frees the variables and tables."""
        self._session.close()
        # The graph refers to itself, and this process makes too little garbage to be collected often:
        # without this, each version that comes and goes would leave megabytes behind.
        del self._session
        gc.collect()
