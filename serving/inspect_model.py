"""`python -m serving.inspect_model`: loads the newest model version and prints its description.

It checks, without a server, whether the model folder contains a version that can be loaded.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from serving.settings import SettingsError, read_settings
from serving.tensorflow_setup import import_tensorflow, suppress_native_logs


def main() -> int:
    """Return the exit status: 1 if the model cannot be loaded, 2 for an invalid setting."""
    try:
        folder = read_settings().model_folder
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    versions = [v for v in folder.glob("[0-9]*") if v.name.isdecimal() and v.is_dir()]
    if not versions:
        print(f"no version in {folder}; publish a model there", file=sys.stderr)
        return 1
    newest = max(versions, key=lambda version: int(version.name))
    suppress_native_logs()
    try:
        import_tensorflow()
        description = _description(newest)
    except Exception as error:  # TensorFlow raises many types for damaged files
        print(f"{newest}: {str(error).strip() or repr(error)}", file=sys.stderr)
        return 1
    print(json.dumps({"version": int(newest.name), "description": description}))
    return 0


def _description(version: Path) -> object:
    """The output of the signature `describe`."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    from serving.model import SavedModelSession

    model = SavedModelSession(version, intra_op_threads=1, inter_op_threads=1)
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = "describe"
    request.inputs["query"].CopyFrom(tf.make_tensor_proto([b""]))
    response = model.predict(request, timeout_s=None)
    return json.loads(response.outputs["description"].string_val[0])


if __name__ == "__main__":
    sys.exit(main())
