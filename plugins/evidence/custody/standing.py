"""How a ledger stands: for the cockpit, for the API, and for the health page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from backend.plugin_api import Health, Record, utcnow
from plugins.evidence.custody.authorities import chosen_authority
from plugins.evidence.custody.ledger import EMPTY_HEAD
from plugins.evidence.custody.models import LedgerCheck, LedgerHead, LedgerRoot, WaitingEntry

#: An entry that waits longer was not chained by its act, nor by several runs of the job.
WAITING_LATE = timedelta(minutes=2)
ROOT_LATE = timedelta(hours=2)
CHECK_LATE = timedelta(days=2)
#: Waiting entries are counted up to here.
COUNTED = 10_000


@dataclass(frozen=True)
class LastRoot:
    """The last root: its number, when it was made, and the last entry that it covers."""

    number: int
    at: datetime
    last: int


@dataclass(frozen=True)
class LastStamp:
    """The last time stamp: its root's number, the token's own time (None: unreadable here), by whom, how checked."""

    number: int
    at: datetime | None
    authority: str
    checked: str


@dataclass(frozen=True)
class ProofStatus:
    """How the proofs of a district stand.

    `entries` are chained, `unrooted` of them since the last root; `waiting` are not chained yet. `authority` is "" when
    no time stamps are asked for. `verification` is the last one as `Verification.as_dict` gives it, or None.
    """

    district: str
    entries: int
    waiting: int
    unrooted: int
    last_root: LastRoot | None
    authority: str
    last_stamp: LastStamp | None
    stamps_waiting: int
    stamps_failed: int
    verification: Mapping[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """Return it for the API."""
        return asdict(self)


def proof_status(district: str) -> ProofStatus:
    """Return how the proofs of a district stand, read in one round trip."""
    found = read_standing(district)
    head, last, stamped = found.get("head", EMPTY_HEAD), found.get("last"), found.get("stamped")
    authority, check = chosen_authority(), found.get("check")
    return ProofStatus(
        district=district,
        entries=head["seq"],
        waiting=found.get("waiting", 0),
        unrooted=head["seq"] - head["rooted"],
        last_root=LastRoot(last["number"], last["at"], last["last"]) if last else None,
        authority=authority.name if authority else "",
        last_stamp=_last_stamp(stamped) if stamped else None,
        stamps_waiting=found.get("stamps_waiting", 0),
        stamps_failed=found.get("stamps_failed", 0),
        verification={name: value for name, value in check.items() if name != "_id"} if check else None,
    )


def read_standing(district: str) -> dict[str, Any]:
    """Return head, last verification, last root and last stamped one, and how many wait, as far as there are any."""
    whole: list[Mapping[str, Any]] = [{"$sort": {"number": -1}}, {"$limit": 1}]
    counted: list[Mapping[str, Any]] = [{"$limit": COUNTED}, {"$count": "value"}]
    own, of_district = {"_id": district}, {"district": district}
    parts: tuple[tuple[str, type[Record], Mapping[str, Any], list[Mapping[str, Any]]], ...] = (
        ("check", LedgerCheck, own, []),
        ("waiting", WaitingEntry, of_district, counted),
        ("last", LedgerRoot, of_district, whole),
        ("stamped", LedgerRoot, {**of_district, "stamp.state": "stamped"}, whole),
        ("stamps_waiting", LedgerRoot, {**of_district, "stamp.state": "waiting"}, counted),
        ("stamps_failed", LedgerRoot, {**of_district, "stamp.state": "failed"}, counted),
    )
    pipeline: list[Mapping[str, Any]] = [{"$match": own}, {"$project": {"_id": 0, "head": "$$ROOT"}}]
    for name, model, match, then in parts:
        value = "$value" if then is counted else "$$ROOT"
        part = [{"$match": match}, *then, {"$project": {"_id": 0, name: value}}]
        pipeline.append({"$unionWith": {"coll": model._get_collection_name(), "pipeline": part}})
    found: dict[str, Any] = {}
    for row in LedgerHead._get_collection().aggregate(pipeline):
        found |= row
    return found


def ledger_whole() -> Health:
    """Tell what the last verification of every district found, and whether chaining and roots keep up."""
    now = utcnow()
    checks = list(LedgerCheck._get_collection().find())
    if broken := [row for row in checks if row.get("fault")]:
        return Health("fail", f"{broken[0]['district']}：{broken[0]['sentence']}请立即保全数据库并查明原因。")
    if WaitingEntry._get_collection().find_one({"at": {"$lt": now - WAITING_LATE}}, {"_id": 1}):
        return Health("warn", "有存证条目迟迟没有入链，请检查后台任务进程，并运行 verify-ledger。")
    heads = {row["_id"]: row for row in LedgerHead._get_collection().find()}
    for district, head in heads.items():
        if head["rooted"] < head["seq"] and _root_is_late(district, head, now):
            return Health("warn", f"{district} 的存证链超过 2 小时没有生成默克尔根，请检查后台任务进程。")
    if any(now - row["at"] > CHECK_LATE for row in checks):
        return Health("warn", "存证链超过 2 天没有校验，请检查后台任务进程。")
    if not checks:
        return Health("ok", "存证链尚未校验，每夜自动校验。" if heads else "还没有存证条目。")
    return Health("ok", "；".join(row["sentence"].rstrip("。") for row in checks[:3]) + "。")


def _root_is_late(district: str, head: Mapping[str, Any], now: datetime) -> bool:
    """Whether the last root is too old for there being entries behind it; a first one may take its time."""
    last = LedgerRoot._get_collection().find_one({"district": district, "number": head["roots"]}, {"at": 1})
    return last is not None and now - last["at"] > ROOT_LATE


def _last_stamp(row: Mapping[str, Any]) -> LastStamp:
    stamp = row["stamp"]
    return LastStamp(row["number"], stamp["at"], stamp["authority"], stamp["checked"])
