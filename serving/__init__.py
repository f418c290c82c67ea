"""The model: exported SavedModels, TensorFlow Serving's configuration, and the embedded model server.

`python -m serving` serves the folder `models/NAME/VERSION/` over TensorFlow Serving's gRPC protocol.
"""
