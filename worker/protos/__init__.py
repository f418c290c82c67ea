"""The protobuf messages of TensorFlow Serving's gRPC interface, without TensorFlow.

Everything below this package is generated: the `*_pb2` modules are those of the `tensorflow` and `tensorflow-serving-api` wheels (Apache License 2.0) with their imports pointed
here, because importing them from the wheels runs TensorFlow's own `__init__`: seconds, and hundreds of MB.
`python -m tools.regenerate_protos` writes them again.
"""
