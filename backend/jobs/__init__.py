"""Background work: queues, runs that survive any crash, the schedule and the worker."""

from backend.jobs.queues import backoff_seconds, connection, put, queued_ids, work_id
from backend.jobs.records import QUEUES, Job
from backend.jobs.runs import DeadJob, JobRun, dead_jobs, enqueue, install, process_name, retry_dead
from backend.jobs.schedule import run_scheduler
from backend.jobs.worker import run_worker

#: The stored records of this package, for `ensure_indexes`.
DOCUMENTS = (JobRun,)

__all__ = [
    "DOCUMENTS",
    "QUEUES",
    "DeadJob",
    "Job",
    "JobRun",
    "backoff_seconds",
    "connection",
    "dead_jobs",
    "enqueue",
    "install",
    "process_name",
    "put",
    "queued_ids",
    "retry_dead",
    "run_scheduler",
    "run_worker",
    "work_id",
]
