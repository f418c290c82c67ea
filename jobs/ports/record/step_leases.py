"""The port to the leases on steps.

Work on a job is divided into *steps* (`plan`, `label/7`, `assemble`). A process claims a step for a
bounded lease, renews it while it works, and writes under the fencing token of its claim. A process
that dies stops renewing. Its step can then be claimed again, and its fencing token is refused.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

PLAN = "plan"
ASSEMBLE = "assemble"
# Adapters take a longer lease as a sign that their clock was put back.
MAX_LEASE_S = 60.0


def label_step(index: int) -> str:
    """The name of the step that labels chunk `index`."""
    return f"label/{index}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to execute one step until its lease expires."""

    job_id: str
    step: str
    fence: int  # the fencing token; grows with every claim of any step of this job
    attempt: int  # number of claims of this step, including this one


@dataclass(frozen=True, kw_only=True)
class AbandonedSteps:
    """Steps of one job that are due and have no valid claim."""

    plan: bool = False
    chunks: tuple[int, ...] = ()
    assemble: bool = False

    def __bool__(self) -> bool:
        return self.plan or self.assemble or bool(self.chunks)


class StepLeases(ABC):
    """Claims of steps. Each method is atomic. Raises `JobNotFound` for an unknown job."""

    @abstractmethod
    def claim(self, job_id: str, step: str, *, lease_s: float) -> Claim | None:
        """Claim a step for at most `MAX_LEASE_S`. None: it is done, not due, or claimed already."""

    @abstractmethod
    def renew(self, claim: Claim, *, lease_s: float) -> None:
        """Extend the lease. Raises `LeaseLost` if the claim is no longer valid."""

    @abstractmethod
    def release(self, claim: Claim) -> None:
        """Release an unfinished step without counting the attempt. Repeating it has no effect.

        The attempt is not counted even if the lease has expired: the worker may have been unable to
        renew it because the store was unreachable.
        """

    @abstractmethod
    def find_abandoned(
        self, job_id: str, *, idle_s: float, lease_s: float = MAX_LEASE_S
    ) -> AbandonedSteps:
        """Steps whose lease has expired, or that have waited without a claim for `idle_s` seconds.

        Each step returned counts as enqueued now.

        Args:
            job_id: the job.
            idle_s: seconds since the step was last enqueued.
            lease_s: the length of a lease; a longer one means that the store's clock was put back,
                and counts as expired.
        """
