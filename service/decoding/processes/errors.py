"""Failures of jobs in decoder processes."""


class PoolError(Exception):
    """The pool could not do a job."""


class JobTimeoutError(PoolError):
    """The deadline passed, waiting for a process or in it, or the job took longer than it may."""


class JobCrashedError(PoolError):
    """Two processes in succession ended during the same job."""


class JobFailedError(Exception):
    """The job raised; the message is the name of the exception's type."""


class ProcessDiedError(Exception):
    """The decoder process ended before it answered."""

    def __init__(self, pid: int, *, began: bool) -> None:
        """`began`: whether it had started the job, which may have been the cause."""
        super().__init__(f"decoder process {pid} ended")
        self.began = began
