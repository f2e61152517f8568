"""Make a package in the background: gather, sign, write it encrypted into the blob store, and say that it is there."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    BlobMissing,
    Event,
    IllegalTransition,
    StaleVersion,
    atomically,
    audit,
    current_actor,
    district_of,
    publish,
    put_blob,
)
from plugins.evidence.cases.models import Case
from plugins.evidence.custody import certificate, extract, note, sign
from plugins.evidence.handover import verify_evidence as form
from plugins.evidence.handover.contents import contents_of
from plugins.evidence.handover.handing import audited, where
from plugins.evidence.handover.models import HAND_OVER_FLOW, USER, HandOver, PackageFile
from plugins.evidence.handover.package import (
    CHUNK_BYTES,
    VERIFIER,
    Item,
    Package,
    PackageRefused,
    Signer,
    Stream,
    canonical,
    measured,
    seal,
    small_item,
)
from plugins.evidence.handover.report import ReportUnavailable, report
from plugins.evidence.handover.telling import manifest_facts, report_facts

#: How long a worker may take; 4 GB are read three times and written once.
SECONDS = 1800

NOTE = """清序固证移送包

案号：{number}
移送单位经办人：{by}
接收单位：{to}

核验方法（不需要网络和数据库）：
  1. 准备 Python 3.9 或更高版本，并安装 cryptography：python -m pip install cryptography
  2. 运行：python verify_evidence.py 移送包.zip --key 密钥指纹
     请使用从移送单位另行取得的 verify_evidence.py；包内附带的一份仅供参考。
     密钥指纹请通过电话或书面向移送单位索取，不要采用包内所写的指纹。
  3. “结论”写“未发现任何改动”即为完整；否则会逐项指出被改动的文件、偏移、账本条目、根、签名或时间戳。

包内文件：
  报告.pdf          可打印的取证报告
  originals/        原件，自收取起未作任何改动
  exhibits/         由原件提取或脱敏生成的图片，无关人员的面部均已遮盖
  defences/         当事人申辩时提交的照片（如有）
  ledger.json       账本摘录：谁在何时因何事接触过这些证据
  stamps/           时间戳（如有）
  certificate.pem   平台的签名证书或公钥
  manifest.json     清单，manifest.sig 是清单的签名

originals/ 中的原件可能含有无关人员，请依法保管，勿外传。
"""


def make_package(event: Event) -> None:
    """Make the package of an `evidence.package_wanted` event, or say why it cannot be; made already, it does nothing.

    Killed anywhere, the next run makes it again. A package that no record names is taken away as any such blob is.
    """
    record = HandOver.objects(id=ObjectId(event.payload["hand_over"]), state="making").first()
    if record is None:
        return
    try:
        package, fingerprint = assembled(record)
    except (PackageRefused, ReportUnavailable) as error:
        settle(record, "fail", str(error), {})
        return
    except BlobMissing:
        settle(record, "fail", "有原件已不在存储中，无法制作移送包。", {})
        return
    stream = io.BufferedReader(Stream(package.chunks()), CHUNK_BYTES)
    blob = put_blob(stream, media_type="application/zip", space=district_of(record.area), user=USER)
    kept = {"sha256": blob.sha256, "sm3": blob.sm3, "size": blob.size}
    settle(record, "make", "", {**kept, "files": len(package.items) + 2, "fingerprint": fingerprint})


def settle(record: HandOver, verb: str, why: str, package: dict[str, Any]) -> None:
    """Write the outcome in one transaction, unless another run has done so already."""

    def write() -> None:
        changes = {"package": PackageFile(**package)} if package else {}
        HAND_OVER_FLOW.fire(record, verb, actor=current_actor(), note=why, changes=changes)
        if package:
            note("exported", **where(record), sha256=package["sha256"], purpose=record.purpose)
            audit.record("evidence.hand_over.make", **audited(record), detail=package)
            publish("evidence.package_made", {"hand_over": str(record.id), "case": str(record.case)}, area=record.area)

    with suppress(IllegalTransition, StaleVersion):
        atomically(write)


def assembled(record: HandOver) -> tuple[Package, str]:
    """Return the package of a hand-over and the fingerprint of its key; raises PackageRefused, BlobMissing."""
    case = Case.objects.get(id=record.case)
    if case.shredding_at is not None:
        raise PackageRefused("保存期限已到，证据已按规定销毁。")
    contents = contents_of(record, case)
    subjects = [str(each.id) for each in contents.captures]
    ledger = extract(district_of(case.area), case=str(case.id), subjects=[*subjects, str(record.id)]).as_dict()
    signer, pem = signing()
    stamps = list(detached(ledger))
    files = [
        small_item(form.CERTIFICATE, "certificate", "平台签名证书", "application/x-pem-file", pem),
        small_item(form.LEDGER, "ledger", "账本摘录", "application/json", canonical(ledger)),
        *stamps,
        small_item("说明.txt", "note", "核验说明", "text/plain", instructions(record)),
        small_item("verify_evidence.py", "verifier", "核验工具", "text/x-python", VERIFIER.read_bytes()),
        *contents.items,
    ]
    measures = {item.path: measured(item) for item in files}
    sizes = {path: measure.size for path, measure in measures.items()}
    pdf = report(report_facts(contents, ledger, files, sizes, signer))
    printed = small_item("报告.pdf", "report", "取证报告", "application/pdf", pdf)
    measures[printed.path] = measured(printed)
    items = [*files[: -len(contents.items)], printed, *contents.items]
    return seal(manifest_facts(contents), items, measures, signer), signer.fingerprint


def signing() -> tuple[Signer, bytes]:
    """Return what signs the manifest, and its certificate or bare key as PEM."""
    pem = certificate().encode()
    spki = form.platform_key(pem)
    fingerprint = hashlib.sha256(spki).hexdigest()

    def signed(data: bytes) -> Mapping[str, str]:
        made = sign(data)
        if made.key_id != fingerprint[:16]:
            raise RuntimeError("The signing key was changed meanwhile.")
        return made.as_dict()

    return Signer(form.public_key(spki)[0], fingerprint, signed), pem


def detached(ledger: Mapping[str, Any]) -> Iterator[Item]:
    """Take the time stamps out of a ledger extract as files of their own, and leave their paths in it."""
    for root in ledger["roots"]:
        stamp, name = root["stamp"], f"stamps/root-{root['number']:06}"
        if stamp["state"] != "stamped":
            continue
        token, certificates = base64.b64decode(stamp["token"]), stamp["certificates"].encode()
        title = f"第 {root['number']} 个根的时间戳"
        stamp |= {"token": f"{name}.tsr", "certificates": f"{name}.pem" if certificates else ""}
        yield small_item(f"{name}.tsr", "stamp", title, "application/timestamp-reply", token)
        if certificates:
            yield small_item(f"{name}.pem", "authority", f"{title}机构证书", "application/x-pem-file", certificates)


def instructions(record: HandOver) -> bytes:
    """Return the note that says how to verify, in the package's own words."""
    return NOTE.format(number=record.case_number, by=record.made_by_name, to=record.recipient).encode()
