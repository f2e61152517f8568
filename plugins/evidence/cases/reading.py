"""Show cases: lists inside what a person may see, and one case with all that he or she may open of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Principal,
    Problem,
    Transition,
    atomically,
    district_of,
    etag_of,
    permitted,
    scope_filter,
    utcnow,
)
from plugins.evidence.captures.models import EXHIBIT_KINDS, MASKED, SOURCES, VIOLATIONS, Capture, Exhibit
from plugins.evidence.captures.reading import VIEW, VIEW_UNMASKED, picture_address
from plugins.evidence.cases.bundling import captures_of
from plugins.evidence.cases.legal import devices_of, needs_visit
from plugins.evidence.cases.models import (
    CASE_FLOW,
    COUNTERSIGN,
    HAND_OVER,
    HOLD,
    RETENTION_CLASSES,
    REVIEW,
    TELLABLE,
    Case,
)
from plugins.evidence.cases.review import proposer
from plugins.evidence.custody import KINDS, note
from plugins.evidence.custody.models import LedgerEntry

#: Titles of what stands in a case's history besides the steps of the workflow.
OTHER_STEPS = {"begin": "立案", "bundle": "并入取证", "split": "拆分", "choose_subject": "选定当事人"}
CAPTURES = "/api/v1/evidence/captures"


def conditions(by: Principal, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may see."""
    names = ("state", "violation", "point", "number", "penalty")
    query: list[dict[str, Any]] = [{name: asked[name]} for name in names if name in asked]
    for name, operator in (("since", "$gte"), ("until", "$lt")):
        if name in asked:
            query.append({"first_at": {operator: asked[name]}})
    if "q" in asked:
        # What begins with the text, as a range on the index of numbers; signs of a number sort below the tilde.
        query.append({"number": {"$gte": asked["q"], "$lt": f"{asked['q']}~"}})
    if "overdue" in asked:
        late: dict[str, Any] = {"due_at": {"$lte": utcnow()}}
        query.append(late if asked["overdue"] else {"$nor": [late]})
    if "has_defence" in asked:
        query.append({"defences": {"$gt": 0} if asked["has_defence"] else {"$not": {"$gt": 0}}})
    query.append(scope_filter(by, VIEW, within=asked.get("within", "")))
    return {"$and": query}


def case_of(by: Principal, case_id: ObjectId, permission: str = VIEW) -> Case:
    """Return a case that the person may treat with `permission`; raises Problem `not_found` for any other."""
    case = Case.objects(__raw__={"$and": [{"_id": case_id}, scope_filter(by, permission)]}).first()
    if case is None:
        raise Problem("not_found")
    return case


def summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a case as it stands in a list."""
    names = ("number", "area", "point", "point_name", "violation", "state", "first_at", "last_at", "created_at")
    due_at = row.get("due_at")
    return {
        **{name: row[name] for name in names},
        "id": str(row["_id"]),
        "etag": etag_of(row).strip('"'),
        "violation_title": VIOLATIONS[row["violation"]],
        "state_title": CASE_FLOW.states[row["state"]],
        "captures_count": len(row.get("captures", ())),
        "thumbnail": picture_address(row["thumbnail"]) if row.get("thumbnail") else None,
        "penalty": row.get("penalty", False),
        "legal_complete": row.get("legal_complete", False),
        "defences": row.get("defences", 0),
        "due_at": due_at,
        "overdue": bool(due_at and due_at <= utcnow()),
    }


def opened(by: Principal, case: Case) -> dict[str, Any]:
    """Return a case with all that the person may open of it; that he or she looked is written into the ledger."""
    atomically(
        lambda: note("viewed", area=case.area, subject="evidence.case", subject_id=str(case.id), case=str(case.id))
    )
    return detail(by, case)


def detail(by: Principal, case: Case) -> dict[str, Any]:
    """Return a case with its captures, exhibits, decisions and history, and with what the person may do."""
    captures = captures_of(case)
    unmasked = permitted(by, VIEW_UNMASKED, case.area)
    exhibits = Exhibit._get_collection().find({"capture": {"$in": [each.id for each in captures]}})
    of_capture: dict[ObjectId, list[dict[str, Any]]] = {each.id: [] for each in captures}
    for row in exhibits.sort([("capture", 1), ("photo", 1), ("kind", 1), ("number", 1)]):
        of_capture[row["capture"]].append(row)
    merged = Case.objects(id=case.merged_into).only("number").first() if case.merged_into else None
    return {
        **summary(case.to_mongo()),
        "captures": [capture_view(each, of_capture[each.id], unmasked) for each in captures],
        "subject": str(case.subject) if case.subject else None,
        "waste": str(case.waste) if case.waste else None,
        "devices": devices_of(captures),
        "needs_visit": needs_visit(captures),
        "decisions": [decision_view(each) for each in case.decisions],
        "history": history(case),
        "custody": custody_of(case),
        "merged_into": {"id": str(case.merged_into), "number": merged.number} if merged else None,
        "retention": case.retention,
        "retention_title": RETENTION_CLASSES[case.retention],
        "delete_after": case.delete_after,
        "held": bool(case.holds),
        "holds": case.holds,
        "repeats": repeats_of(by, case),
        "noticed_at": case.noticed_at,
        "defence_until": case.defence_until,
        "may": {
            "hold": permitted(by, HOLD, case.area) and not case.shredding_at,
            "notice": permitted(by, REVIEW, case.area)
            and not case.shredding_at
            and (case.state in TELLABLE or case.noticed_at is not None),
        },
        "verbs": [{"verb": each.verb, "title": each.title} for each in verbs_of(by, case)],
    }


def repeats_of(by: Principal, case: Case) -> list[dict[str, Any]]:
    """Return the cases that may be about the same person, for whoever judges this one: numbers, never a name."""
    if not any(permitted(by, permission, case.area) for permission in (REVIEW, COUNTERSIGN, HAND_OVER)):
        return []
    return [{name: each[name] for name in ("case", "number", "likeness")} for each in case.repeats]


def verbs_of(by: Principal, case: Case) -> list[Transition]:
    """Return the steps that the person may take on a case now; nobody countersigns what he or she proposed."""
    if case.state == "countersigning" and proposer(case) == str(by.id):
        return []
    return CASE_FLOW.verbs(case, lambda permission: permitted(by, permission, case.area))


def capture_view(capture: Capture, exhibits: Sequence[Mapping[str, Any]], unmasked: bool) -> dict[str, Any]:
    """Return a capture as a reviewer sees it: its photos, each with what was found on it."""
    photos = []
    for number, photo in enumerate(capture.photos):
        of_photo = [row for row in exhibits if row["photo"] == number]
        masked = {row["kind"]: str(row["_id"]) for row in of_photo if row["kind"] in MASKED}
        copy, thumbnail = masked.get("masked_copy"), masked.get("masked_thumbnail")
        photos.append(
            {
                "number": number,
                "width": photo.width,
                "height": photo.height,
                "sha256": photo.sha256,
                "before": photo.before,
                "frame_at": photo.frame_at,
                "masked": picture_address(copy) if copy else None,
                "thumbnail": picture_address(thumbnail) if thumbnail else None,
                "original": f"{CAPTURES}/{capture.id}/photos/{number}" if unmasked else None,
                "exhibits": [exhibit_view(row, photo, unmasked) for row in of_photo if row["kind"] not in MASKED],
            }
        )
    names = ("device", "device_name", "device_time", "received_at", "clock_offset", "note", "findings")
    return {
        **{name: capture[name] for name in names},
        "id": str(capture.id),
        "etag": etag_of(capture).strip('"'),
        "source": capture.source,
        "source_title": SOURCES[capture.source],
        "clip_seconds": capture.clip.seconds if capture.clip else None,
        "photos": photos,
    }


def exhibit_view(row: Mapping[str, Any], photo: Any, unmasked: bool) -> dict[str, Any]:
    """Return where an exhibit lies on its photo, in shares of width and height; its picture for who may see faces."""
    box = row.get("box") or [0, 0, photo.width, photo.height]
    names = ("kind", "label", "score", "source", "comparable", "quality")
    return {
        **{name: row[name] for name in names if row.get(name) is not None},
        "id": str(row["_id"]),
        "kind_title": EXHIBIT_KINDS[row["kind"]],
        "box": [round(each / size, 5) for each, size in zip(box, (photo.width, photo.height) * 2, strict=True)],
        "picture": picture_address(str(row["_id"])) if unmasked else None,
    }


def decision_view(decision: Any) -> dict[str, Any]:
    """Return a decision with its Chinese title."""
    names = ("verb", "name", "at", "reason", "site_visit")
    return {**{name: decision[name] for name in names}, "title": title_of(decision.verb)}


def history(case: Case) -> list[dict[str, Any]]:
    """Return what happened to a case, the first step first; names of people are known of their decisions."""
    names = {(each.verb, each.at): each.name for each in case.decisions}
    return [
        {
            "title": title_of(entry["verb"]),
            "at": entry["at"],
            "name": names.get((entry["verb"], entry["at"]), "系统" if entry["actor_kind"] == "system" else ""),
            "note": entry["note"],
        }
        for entry in case.timeline
    ]


def custody_of(case: Case) -> dict[str, Any]:
    """Return how many entries of a case stand in the ledger, by kind, and where the last of them stands."""
    ledger = LedgerEntry._get_collection()
    query = {"district": district_of(case.area), "case": str(case.id)}
    kinds = ledger.aggregate([{"$match": query}, {"$group": {"_id": "$kind", "count": {"$sum": 1}}}])
    counts = {row["_id"]: row["count"] for row in kinds}
    last = ledger.find_one(query, sort=[("seq", -1)])
    return {
        "entries": sum(counts.values()),
        "by_kind": {title: counts[kind] for kind, title in KINDS.items() if kind in counts},
        "last_seq": last["seq"] if last else None,
        "last_at": last["at"] if last else None,
        "last_hash": last["hash"] if last else None,
    }


def title_of(verb: str) -> str:
    """Return the Chinese title of a step."""
    return OTHER_STEPS.get(verb) or next(each.title for each in CASE_FLOW.transitions if each.verb == verb)
