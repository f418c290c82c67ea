"""The port to uploads in progress, so that the files of lost uploads can be deleted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

# Seconds of silence after which an upload is lost.
UPLOAD_LOST_AFTER_S = 3600.0
# Seconds for which a lost upload stays registered, so that no job can be created from it.
UPLOAD_REFUSED_FOR_S = 86_400.0


class UploadRegistry(ABC):
    """Uploads by the id of the job that each will become."""

    @abstractmethod
    def touch(self, job_id: str) -> None:
        """Record that the upload has begun or continues. Raises `UploadLost`."""

    @abstractmethod
    def forget(self, job_id: str) -> None:
        """Record that the upload was abandoned and has left no files."""

    @abstractmethod
    def expire(self, *, elapsed_s: float) -> Sequence[str]:
        """Ids of lost uploads: their files may be deleted, and no job can be created from them.

        Args:
            elapsed_s: seconds since the last call. Silence is the sum of these, so neither a change
                of the clock nor a time without calls can make a live upload a lost one.
        """
