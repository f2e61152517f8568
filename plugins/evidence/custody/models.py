"""The custody ledger as stored: entries, those that wait to be chained, heads, roots, and the keys that sign."""

from __future__ import annotations

from mongoengine import DateTimeField, DictField, FloatField, IntField, StringField

from backend.plugin_api import EncryptedStringField, PlacedRecord, Record

#: What may happen to evidence: a closed vocabulary. An entry stays for good, so a kind is never taken out.
KINDS = {
    "taken_in": "收取原件",
    "derived": "提取生成",
    "drawn": "人工框选",
    "viewed": "查看",
    "revealed": "查看未脱敏",
    "downloaded": "下载",
    "printed": "打印",
    "exported": "导出",
    "bundled": "并案",
    "split": "拆分",
    "decided": "复核",
    "countersigned": "会签",
    "noticed": "告知",
    "defended": "申辩",
    "answered": "答复申辩",
    "handed_over": "移送",
    "receipted": "签收",
    "held": "保全",
    "released": "解除保全",
    "shredded": "销毁",
    "reporter_requested": "申请查看举报人",
    "reporter_opened": "查看举报人",
    "compared": "人脸比对",
    "matching_on": "启用人脸比对",
    "matching_off": "停用人脸比对",
}


class WaitingEntry(PlacedRecord):
    """An entry as the act wrote it, in the act's own transaction; it has no place in the chain yet."""

    meta = {"collection": "evidence_ledger_waiting", "indexes": [("district", "id"), ("at",)]}

    district = StringField(required=True)
    at = DateTimeField(required=True)
    kind = StringField(required=True, choices=tuple(KINDS))
    subject = StringField(required=True)
    subject_id = StringField(required=True)
    case = StringField()
    sha256 = StringField()
    purpose = StringField()
    actor = DictField(required=True)
    detail = DictField()


class LedgerEntry(PlacedRecord):
    """An entry in its place: never changed, never removed. `previous` and `hash` are hexadecimal."""

    meta = {
        "collection": "evidence_ledger",
        "indexes": [
            {"fields": ["district", "seq"], "unique": True},
            ("district", "case", "seq"),
            ("district", "subject_id", "seq"),
        ],
    }

    district = StringField(required=True)
    seq = IntField(required=True)
    at = DateTimeField(required=True)
    kind = StringField(required=True, choices=tuple(KINDS))
    subject = StringField(required=True)
    subject_id = StringField(required=True)
    case = StringField()
    sha256 = StringField()
    purpose = StringField()
    actor = DictField(required=True)
    detail = DictField()
    hash_name = StringField(required=True)
    previous = StringField(required=True)
    hash = StringField(required=True)


class LedgerHead(Record):
    """The end of a district's chain and of its roots, signed; it moves by compare-and-set, with what it tells of.

    `roots` is the number of the last root, `root_hash` its hash, `rooted` the last entry that a root covers.
    """

    meta = {"collection": "evidence_ledger_heads"}

    id = StringField(primary_key=True)
    seq = IntField(required=True)
    hash = StringField(required=True)
    roots = IntField(required=True)
    rooted = IntField(required=True)
    root_hash = StringField(required=True)
    signature = DictField(required=True)


class LedgerRoot(Record):
    """A signed Merkle root over the entries `first` to `last` of a district; `stamp` tells of its time stamp.

    `previous_root` is the hash of the root before, `previous_stamp` the SHA-256 of its token if it had one by then.
    """

    meta = {
        "collection": "evidence_roots",
        "indexes": [
            {"fields": ["district", "number"], "unique": True},
            ("stamp.state", "stamp.due_at"),
            ("district", "stamp.state", "-number"),
        ],
    }

    district = StringField(required=True)
    number = IntField(required=True)
    first = IntField(required=True)
    last = IntField(required=True)
    root = StringField(required=True)
    hash_name = StringField(required=True)
    previous_root = StringField(required=True)
    previous_stamp = StringField(required=True)
    at = DateTimeField(required=True)
    signature = DictField(required=True)
    stamp = DictField(required=True)


class EvidenceKey(Record):
    """A key that signs roots and heads: of each algorithm the one with the highest number signs, all of them verify.

    `private` is bound to the rest (see signing); `public` (SubjectPublicKeyInfo) and `certificate` are PEM, the latter
    is empty for SM2.
    """

    meta = {
        "collection": "evidence_keys",
        "indexes": [{"fields": ["number"], "unique": True}, {"fields": ["key_id"], "unique": True}],
    }

    number = IntField(required=True)
    key_id = StringField(required=True)
    algorithm = StringField(required=True)
    private = EncryptedStringField(required=True)
    public = StringField(required=True)
    certificate = StringField()


class LedgerCheck(Record):
    """What the last verification of a district found."""

    meta = {"collection": "evidence_ledger_checks"}

    id = StringField(primary_key=True)
    district = StringField(required=True)
    at = DateTimeField(required=True)
    seconds = FloatField(required=True)
    entries = IntField(required=True)
    roots = IntField(required=True)
    stamps = IntField(required=True)
    fault = DictField()
    sentence = StringField(required=True)


#: What custody stores.
DOCUMENTS = (WaitingEntry, LedgerEntry, LedgerHead, LedgerRoot, EvidenceKey, LedgerCheck)
