"""What a package says of its case: to programs in the manifest, to people in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from backend.plugin_api import LOCAL_ZONE, district_of, get_blob
from plugins.evidence.captures.models import SOURCES, VIOLATIONS, Capture
from plugins.evidence.cases.legal import PARTS
from plugins.evidence.cases.reading import title_of
from plugins.evidence.custody import KINDS
from plugins.evidence.handover.contents import Contents
from plugins.evidence.handover.facts import (
    ReportCapture,
    ReportDecision,
    ReportDefence,
    ReportEntry,
    ReportFacts,
    ReportFile,
    ReportPicture,
    ReportProof,
)
from plugins.evidence.handover.models import HAND_OVER_KINDS
from plugins.evidence.handover.package import Item, Signer

ROLES = {
    "certificate": "证书",
    "ledger": "账本摘录",
    "stamp": "时间戳",
    "authority": "时间戳机构证书",
    "note": "说明",
    "verifier": "核验工具",
    "original": "原件",
    "exhibit": "证据图片",
    "defence": "申辩材料",
}
#: Pictures that the report shows at most; the package holds all.
MOST_PICTURES = 24


def moment(at: datetime) -> str:
    """Return a time as the manifest has it: UTC, six digits, Z."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def manifest_facts(contents: Contents) -> dict[str, Any]:
    """Return the members `case`, `made` and `captures` of the manifest."""
    case, record = contents.case, contents.hand_over
    return {
        "case": {
            "number": case.number,
            "kind": record.kind,
            "violation": case.violation,
            "violation_title": VIOLATIONS[case.violation],
            "area": case.area,
            "area_names": list(contents.areas),
            "point": case.point,
            "point_name": case.point_name,
            "place": place_of(case),
            "first_at": moment(case.first_at),
            "last_at": moment(case.last_at),
            "subject": contents.path_of(case.subject),
            "waste": contents.path_of(case.waste),
            "missing": list(record.missing),
            "decisions": [
                {
                    "verb": each.verb,
                    "title": title_of(each.verb),
                    "by": each.by,
                    "name": each.name,
                    "at": moment(each.at),
                    "reason": each.reason or "",
                    "site_visit": each.site_visit or "",
                }
                for each in case.decisions
            ],
            "defences": [
                {
                    "at": moment(each.filed_at),
                    "text": each.text,
                    "answer": each.answer or "",
                    "answered_by": each.answered_name or "",
                    "answered_at": moment(each.answered_at) if each.answered_at else "",
                }
                for each in contents.defences
            ],
        },
        "made": {
            "hand_over": str(record.id),
            "at": moment(record.made_at),
            "by": record.made_by_name,
            "for": record.recipient,
            "purpose": record.purpose,
        },
        "captures": [
            {
                "id": str(each.id),
                "source": each.source,
                **sender_of(each),
                "event_id": each.event_id,
                "violation": each.violation,
                "point": each.point,
                "point_name": each.point_name,
                "place": place_of(each),
                "device_time": moment(each.device_time),
                "received_at": moment(each.received_at),
                "clock_offset": each.clock_offset,
                "legal": {name: getattr(each.legal, name, None) or "" for name in PARTS},
                "files": contents.paths_of(each),
            }
            for each in contents.captures
        ],
    }


def sender_of(capture: Capture) -> dict[str, str]:
    """Return who sent a capture; of a resident nothing, for the reporter opens to the custodian alone."""
    if capture.source == "resident":
        return {"sender": "", "device_name": "", "source_address": ""}
    told = {"sender": capture.sender, "device_name": capture.device_name, "source_address": capture.source_address}
    return {name: value or "" for name, value in told.items()}


def place_of(record: Any) -> list[float] | None:
    """Return WGS-84 longitude and latitude, None when the place is not known."""
    place = record.place
    return list(place["coordinates"]) if place else None


def report_facts(
    contents: Contents, ledger: Mapping[str, Any], files: Sequence[Item], sizes: Mapping[str, int], signer: Signer
) -> ReportFacts:
    """Return what the report shows; `files` are those of the package but the report, `sizes` theirs by path."""
    case, record = contents.case, contents.hand_over
    place = place_of(case)
    return ReportFacts(
        number=case.number,
        kind=record.kind,
        kind_title=HAND_OVER_KINDS[record.kind],
        violation=VIOLATIONS[case.violation],
        areas=contents.areas,
        point=case.point_name,
        place=(place[0], place[1]) if place else None,
        first_at=local(case.first_at),
        last_at=local(case.last_at),
        captures=tuple(capture_facts(each) for each in contents.captures),
        pictures=tuple(pictures(contents)),
        decisions=tuple(
            ReportDecision(
                title=title_of(each.verb),
                name=each.name,
                at=local(each.at),
                reason="；".join(filter(None, (each.reason, each.site_visit and f"现场核实：{each.site_visit}"))),
            )
            for each in case.decisions
        ),
        defences=tuple(
            ReportDefence(
                at=local(each.filed_at),
                text=each.text,
                answer=each.answer or "",
                answered_by=each.answered_name or "",
                answered_at=local(each.answered_at) if each.answered_at else None,
            )
            for each in contents.defences
        ),
        files=tuple(
            ReportFile(
                path=each.path,
                role=ROLES[each.role],
                title=each.title,
                size=sizes[each.path],
                sha256=each.sha256,
                sm3=each.sm3,
            )
            for each in files
        ),
        entries=tuple(entry_facts(each) for each in ledger["entries"]),
        proof=proof_facts(ledger, signer),
        made_at=local(record.made_at),
        made_by=record.made_by_name,
        made_for=record.recipient,
        purpose=record.purpose,
    )


def capture_facts(capture: Capture) -> ReportCapture:
    """Return an observation as the report shows it; only a device has a legal record."""
    sender = sender_of(capture)
    of_device = capture.source == "device"
    return ReportCapture(
        source=SOURCES[capture.source],
        sender=sender["sender"],
        device_name=sender["device_name"],
        event_id=capture.event_id,
        violation=VIOLATIONS[capture.violation],
        point=capture.point_name,
        device_time=local(capture.device_time),
        received_at=local(capture.received_at),
        clock_offset=capture.clock_offset,
        source_address=sender["source_address"],
        legal=tuple((title, getattr(capture.legal, name, None) or "") for name, title in PARTS.items())
        if of_device
        else (),
        legal_complete=bool(of_device and capture.legal and capture.legal.complete),
    )


def pictures(contents: Contents) -> list[ReportPicture]:
    """Return the pictures of the report: each photo as a copy without bystanders' faces, then person and waste."""
    shown: list[ReportPicture] = []
    items = {item.path: item for item in contents.items}
    seen: set[str] = set()
    for path, exhibit in contents.exhibits.items():
        item = items[path]
        photo = item.more["derived_from"]
        if exhibit.kind == "object" and exhibit.id != contents.case.waste:
            continue
        if exhibit.kind in ("subject_copy", "masked_copy"):  # of a photo the first one: the former, if there is one
            if photo in seen:
                continue
            seen.add(photo)
        if len(shown) == MOST_PICTURES:
            break
        shown.append(
            ReportPicture(
                content=get_blob(item.sha256, space=district_of(contents.case.area)),
                caption=item.title,
                path=path,
                sha256=item.sha256,
                derived_from=photo,
                made_by="，".join(f"{name} {value}" for name, value in item.more["made_by"].items()),
            )
        )
    return shown


def entry_facts(one: Mapping[str, Any]) -> ReportEntry:
    """Return an entry of the ledger as the report shows it."""
    entry = one["entry"]
    return ReportEntry(
        number=entry["seq"],
        at=told_time(entry["at"]),
        person=entry["actor"].get("name") or entry["actor"].get("id", ""),
        action=KINDS.get(entry["kind"], entry["kind"]),
        purpose=entry.get("purpose") or "",
        hash=one["hash"],
    )


def proof_facts(ledger: Mapping[str, Any], signer: Signer) -> ReportProof | None:
    """Return the last root, with the stamp that it has."""
    if not ledger["roots"]:
        return None
    root = ledger["roots"][-1]
    stamp = root["stamp"]
    stamped = stamp["state"] == "stamped" and stamp["at"]
    return ReportProof(
        root=root["root"],
        root_at=told_time(root["at"]),
        root_number=root["number"],
        hash_name=root["hash_name"],
        stamped_at=told_time(stamp["at"]) if stamped else None,
        stamp_authority=stamp["authority"] if stamped else "",
        signature=root["signature"]["algorithm"],
        fingerprint=":".join(signer.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper(),
    )


def told_time(text: str) -> datetime:
    """Return a time of the ledger in Shanghai."""
    return local(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC))


def local(at: datetime) -> datetime:
    """Return a time in Shanghai."""
    return at.astimezone(LOCAL_ZONE)
