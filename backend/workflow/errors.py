"""What can go wrong when a record is to move on."""

from __future__ import annotations


class WorkflowError(Exception):
    """The record stays as it is."""


class IllegalTransition(WorkflowError):
    """From the record's state this verb leads nowhere; `state` and `verb` say which."""

    def __init__(self, workflow: str, state: str, verb: str) -> None:
        super().__init__(f"{workflow}: {verb} is not possible in the state {state}.")
        self.state = state
        self.verb = verb


class TransitionRefused(WorkflowError):
    """A guard said no; `reason` is its Chinese sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StaleVersion(WorkflowError):
    """Somebody else changed the record, or removed it, since it was read."""
