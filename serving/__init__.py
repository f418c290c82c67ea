"""The embedded model server, exported SavedModels and the configuration of TensorFlow Serving.

`python -m serving` serves `models/NAME/VERSION/` over the gRPC protocol of TensorFlow Serving.
"""
