"""All that the report in a package shows; `report.report(facts)` draws it and looks nothing up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class ReportPicture:
    """A picture as the report shows it: JPEG, PNG or WebP bytes, never with a bystander's face.

    `caption` is ready to print. `path` is the file in the package and `sha256` its hash; `derived_from` is the path of
    its original, `made_by` one line on the step, model and parameters that made it (both empty for an original).
    """

    content: bytes
    caption: str
    path: str
    sha256: str
    derived_from: str = ""
    made_by: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportCapture:
    """One observation. `clock_offset` is receive time minus device time in seconds. `sender` is the sender's code.

    `legal` is the device's legal record as (label, value) lines in print order; a value that is missing is empty.
    """

    source: str
    sender: str
    device_name: str
    event_id: str
    violation: str
    point: str
    device_time: datetime
    received_at: datetime
    clock_offset: float
    source_address: str
    legal: tuple[tuple[str, str], ...]
    legal_complete: bool


@dataclass(frozen=True, kw_only=True)
class ReportDecision:
    """One person's step in the case: the Chinese title of the verb, who, when, why."""

    title: str
    name: str
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReportDefence:
    """What the person concerned said, and what was answered (empty while nothing was)."""

    at: datetime
    text: str
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ReportFile:
    """A file of the package: its path, Chinese role and title, size in bytes, SHA-256 and SM3 in hex."""

    path: str
    role: str
    title: str
    size: int
    sha256: str
    sm3: str


@dataclass(frozen=True, kw_only=True)
class ReportEntry:
    """One entry of the custody ledger; `hash` is the entry's own, in hex."""

    number: int
    at: datetime
    person: str
    action: str
    purpose: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class ReportProof:
    """What holds the ledger: the last root over the case's entries, its stamp and the key that signs.

    `hash_name` is "SHA-256" or "SM3". `stamped_at` and `stamp_authority` are None and empty without a time stamp.
    `fingerprint` is the SHA-256 of the signing key (SubjectPublicKeyInfo, DER): upper-case pairs joined by colons.
    """

    root: str
    root_at: datetime
    root_number: int
    hash_name: str
    stamped_at: datetime | None
    stamp_authority: str
    signature: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """A case as it is handed over. Times are aware and in Asia/Shanghai; texts are Chinese and ready to print.

    `kind` is "penalty" or "lead", `kind_title` its words. `areas` are names from the district down. `place` is WGS-84
    (longitude, latitude) or None. `files` are the package's files but for the report itself, the manifest and its
    signature, which are made after it.
    """

    number: str
    kind: str
    kind_title: str
    violation: str
    areas: tuple[str, ...]
    point: str
    place: tuple[float, float] | None
    first_at: datetime
    last_at: datetime
    captures: tuple[ReportCapture, ...]
    pictures: tuple[ReportPicture, ...]
    decisions: tuple[ReportDecision, ...]
    defences: tuple[ReportDefence, ...]
    files: tuple[ReportFile, ...]
    entries: tuple[ReportEntry, ...]
    proof: ReportProof | None
    made_at: datetime
    made_by: str
    made_for: str
    purpose: str
