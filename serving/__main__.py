"""`python -m serving`: the embedded model server, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import threading

import structlog

from serving.log_setup import configure_logging
from serving.settings import SettingsError, read_settings
from serving.tensorflow_setup import import_tensorflow, suppress_native_logs

log = structlog.get_logger("serving")


def main() -> int:
    """Serve until a signal arrives; return the exit status."""
    configure_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = read_settings()
    except SettingsError as error:
        log.error("invalid_setting", error=str(error))
        return 2
    configure_logging(settings.log_format)
    if not settings.model_folder.is_dir():
        log.error(
            "model_folder_missing",
            folder=str(settings.model_folder),
            action="set SPINELABEL_MODEL_ROOT and SPINELABEL_MODEL_NAME, or publish a version",
        )
        return 1
    suppress_native_logs()
    # Imported here: gRPC reads the environment that was just set.
    from serving.grpc_server import AddressUnavailable, listen

    try:
        bound = listen(settings)
    except AddressUnavailable as error:
        log.error("address_unavailable", error=str(error))
        return 1
    import_tensorflow()
    from serving.server import ModelServer

    server = ModelServer(settings, bound)
    server.start()
    log.info(
        "model_server_started",
        address=settings.serving_address,
        max_concurrent_predictions=settings.executions,
        folder=str(settings.model_folder),
    )
    stop.wait()
    log.info("model_server_stopping", grace_s=settings.serving_grace_s)
    server.stop()
    log.info("model_server_stopped")
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # Not sys.exit, which would wait for predictions that did not end within the grace period.
    os._exit(status)
