"""Long commands in the background: the user's command lines, each in a process and folder of its own."""

from holotype.jobs.job import Job, JobError, LogPage, Progress, State
from holotype.jobs.jobs import Jobs

__all__ = ["Job", "JobError", "Jobs", "LogPage", "Progress", "State"]
