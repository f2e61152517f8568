"""State machines with time limits, used by everything that is handled in steps."""

from backend.workflow.errors import IllegalTransition, StaleVersion, TransitionRefused, WorkflowError
from backend.workflow.machine import Workflow
from backend.workflow.records import BACK, DUE_INDEX, Flowing, Guard, Limit, Transition

__all__ = [
    "BACK",
    "DUE_INDEX",
    "Flowing",
    "Guard",
    "IllegalTransition",
    "Limit",
    "StaleVersion",
    "Transition",
    "TransitionRefused",
    "Workflow",
    "WorkflowError",
]
