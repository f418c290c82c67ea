"""`python -m serving.inspect_model`: loads the newest version of the model, and prints what it says of itself as JSON.

Serves nothing: it tells whether a server that is started on the same folder would have something to serve.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from serving.settings import SettingsError, read_settings
from serving.tensorflow_setup import import_tensorflow, suppress_native_logs


def main() -> int:
    """The exit status: 1 for a model that cannot be used, 2 for a wrong setting."""
    try:
        folder = read_settings().model_folder
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    versions = [v for v in folder.glob("[0-9]*") if v.name.isdecimal() and v.is_dir()]
    if not versions:
        print(f"there is no version in {folder}", file=sys.stderr)
        return 1
    newest = max(versions, key=lambda version: int(version.name))
    suppress_native_logs()
    try:
        import_tensorflow()
        description = _description(newest)
    except Exception as error:  # whatever TensorFlow says of a damaged file, or of itself
        print(f"{newest}: {str(error).strip() or repr(error)}", file=sys.stderr)
        return 1
    print(json.dumps({"version": int(newest.name), "description": description}))
    return 0


def _description(version: Path) -> object:
    """What the version answers to its signature `describe`."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    from serving.model import SavedModelSession

    model = SavedModelSession(version, intra_op_threads=1, inter_op_threads=1)
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = "describe"
    request.inputs["query"].CopyFrom(tf.make_tensor_proto([b""]))
    answer = model.predict(request, timeout_s=None)
    return json.loads(answer.outputs["description"].string_val[0])


if __name__ == "__main__":
    sys.exit(main())
