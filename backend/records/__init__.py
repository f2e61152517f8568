"""Base records: the same verbs for every kind of thing that staff keep a register of.

A module declares a `Resource`; search, add, change, disable, enable, import, export, nearest-first and history follow.
"""

from backend.records.faults import DuplicateCode, InvalidValues, RecordFault, RecordNotFound, StaleVersion
from backend.records.fields import (
    AreaCode,
    Choice,
    Choices,
    Code,
    IdNumber,
    Latitude,
    Longitude,
    Phone,
    Private,
    RecordSchema,
    Text,
)
from backend.records.filters import Contains, Equals, Filter, PhoneIs
from backend.records.present import present, reveal
from backend.records.resource import Resource, Written
from backend.records.tabular import ImportReport, RowFault, import_rows
from backend.records.verbs import change, create, find, history, nearest, scope, search, set_active

__all__ = [
    "AreaCode",
    "Choice",
    "Choices",
    "Code",
    "Contains",
    "DuplicateCode",
    "Equals",
    "Filter",
    "IdNumber",
    "ImportReport",
    "InvalidValues",
    "Latitude",
    "Longitude",
    "Phone",
    "PhoneIs",
    "Private",
    "RecordFault",
    "RecordNotFound",
    "RecordSchema",
    "Resource",
    "RowFault",
    "StaleVersion",
    "Text",
    "Written",
    "change",
    "create",
    "find",
    "history",
    "import_rows",
    "nearest",
    "present",
    "reveal",
    "scope",
    "search",
    "set_active",
]
