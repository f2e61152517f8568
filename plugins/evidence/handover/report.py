"""The report of a hand-over: a PDF/A on A4 in Chinese, with its fonts inside.

Set by Typst in this process; it reads no file but those handed to it and asks no network. The same facts give the same
bytes. Measured on one busy core: 0.3 s for a short report, 4 s for twenty photos of 12 megapixels and 500 ledger
entries (1.7 MB); the process then stands some 180 MB above its imports, and stays there over many reports.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from backend.plugin_api import LOCAL_ZONE, current_settings
from plugins.evidence.handover.facts import ReportCapture, ReportEntry, ReportFacts, ReportPicture, ReportProof
from plugins.evidence.handover.typeface import ReportUnavailable, Typeface, typeface

__all__ = ["ReportUnavailable", "report"]

TITLE = "生活垃圾分类违规案件取证报告"
TEMPLATE = Path(__file__).with_name("report.typ")
#: Pictures are printed at most this large (mm), two on a page, at this many pixels to the inch.
WIDEST, HIGHEST, DPI = 150, 84, 200
QUALITY = 82
#: Of a longer ledger the first and the last half of these are printed; the package holds all of it.
MOST_ENTRIES = 400
WARNING = "该设备的法定资料不齐，其影像只能作为现场核查的线索，不能单独作为处罚依据。"


def report(facts: ReportFacts) -> bytes:
    """Return the report as PDF; raises ReportUnavailable when the tool or a Chinese font is not there."""
    face = typeface(current_settings().report_font)
    import typst

    files: dict[str, bytes] = {"main.typ": TEMPLATE.read_bytes()}
    pictures = []
    for number, picture in enumerate(facts.pictures, 1):
        shown = {"image": "", "width": 0.0, **_picture_words(picture, number, face)}
        if (printed := for_print(picture.content)) is not None:
            shown["image"], shown["width"] = f"picture{number}.svg", printed[1]
            files[f"picture{number}.svg"] = printed[0]
        pictures.append(shown)
    told = {**_told(facts, face), "pictures": pictures, "fonts": {"body": face.body, "head": face.head}}
    files["facts.json"] = json.dumps(told, ensure_ascii=False).encode()
    pdf = typst.compile(
        files,
        format="pdf",
        font_paths=face.fonts,
        ignore_system_fonts=True,
        pdf_standards="a-2u",
        timestamp=int(facts.made_at.timestamp()),
    )
    assert isinstance(pdf, bytes)  # noqa: S101 - one document, no output path
    return pdf


def for_print(content: bytes) -> tuple[bytes, float] | None:
    """Return a picture with no more pixels than paper shows, and its width on paper in mm; None when unreadable.

    It is a JPEG without the original's metadata, inside an SVG: Typst takes nothing but text from memory, and no
    picture may lie in a folder in the clear.
    """
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as opened:
            if opened.width * opened.height > current_settings().max_image_pixels:
                return None
            most = round(WIDEST / 25.4 * DPI)
            opened.draft("RGB", (most, most))  # a JPEG is decoded at the size that is needed
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except Exception:  # Pillow's readers raise many kinds; the package still holds the file as it is
        return None
    width = min(WIDEST, HIGHEST * upright.width / upright.height)
    pixels = max(1, round(width / 25.4 * DPI))
    if upright.width > pixels:
        upright = upright.resize(
            (pixels, max(1, round(pixels * upright.height / upright.width))), Image.Resampling.LANCZOS
        )
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=QUALITY, optimize=True)
    size = f'width="{upright.width}" height="{upright.height}"'
    data = base64.b64encode(out.getvalue()).decode()
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} href="data:image/jpeg;base64,{data}"/></svg>'
    return svg.encode(), round(width, 2)


def _told(facts: ReportFacts, face: Typeface) -> dict[str, Any]:
    later = facts.entries[MOST_ENTRIES // 2 :][-(MOST_ENTRIES // 2) :]
    return {
        "title": TITLE,
        "number": face.told(facts.number),
        "author": face.told(facts.made_by),
        "kind_title": face.told(facts.kind_title),
        "made_at": _time(facts.made_at),
        "overview": _rows(face, _overview(facts)),
        "captures": [_capture(each, number, face) for number, each in enumerate(facts.captures, 1)],
        "decisions": [
            [face.told(each.title), face.told(each.name), _time(each.at), face.told(each.reason or "—")]
            for each in facts.decisions
        ],
        "defences": [
            _rows(
                face,
                [
                    ("提出时间", _time(each.at)),
                    ("陈述申辩", each.text),
                    ("答复", each.answer or "尚未答复"),
                    *([("答复人", each.answered_by)] if each.answered_by else []),
                    *([("答复时间", _time(each.answered_at))] if each.answered_at else []),
                ],
            )
            for each in facts.defences
        ],
        "files": [
            {
                "number": str(number),
                "title": face.told(each.title),
                "about": face.told(f"{each.role} · {_size(each.size)}\n{each.path}").replace("\n", " · "),
                "sha256": face.plain(each.sha256),
                "sm3": face.plain(each.sm3),
            }
            for number, each in enumerate(facts.files, 1)
        ],
        "entries": [_entry(each, face) for each in facts.entries[: MOST_ENTRIES // 2]],
        "later": [_entry(each, face) for each in later],
        "left_out": str(len(facts.entries) - MOST_ENTRIES) if len(facts.entries) > MOST_ENTRIES else "",
        "proof": _rows(face, _proof(facts.proof)) if facts.proof else [],
        "handing": _rows(
            face,
            [
                ("移送人", facts.made_by),
                ("接收单位", facts.made_for),
                ("移送事由", facts.purpose),
                ("移送时间", _time(facts.made_at)),
            ],
        ),
    }


def _entry(entry: ReportEntry, face: Typeface) -> dict[str, str]:
    return {
        "number": str(entry.number),
        "at": _time(entry.at),
        "person": face.told(entry.person),
        "action": face.told(entry.action),
        "purpose": face.told(entry.purpose),
        "hash": face.plain(entry.hash).ljust(64),
    }


def _overview(facts: ReportFacts) -> list[tuple[str, str]]:
    place = f"东经 {facts.place[0]:.6f}°，北纬 {facts.place[1]:.6f}°（WGS-84）" if facts.place else "未记录"
    one = facts.first_at == facts.last_at
    return [
        ("案号", facts.number),
        ("案件性质", facts.kind_title),
        ("违规行为", facts.violation),
        ("所在区域", " · ".join(facts.areas)),
        ("点位", facts.point),
        ("坐标", place),
        ("发生时间", _time(facts.first_at) if one else f"{_time(facts.first_at)} 至 {_time(facts.last_at)}"),
        ("取证次数", f"{len(facts.captures)} 次"),
        ("随附文件", f"{len(facts.files)} 个"),
    ]


def _capture(capture: ReportCapture, number: int, face: Typeface) -> dict[str, Any]:
    offset = capture.clock_offset
    rows = [
        ("来源", capture.source),
        ("设备或人员", "，".join(each for each in (capture.device_name, capture.sender) if each)),
        ("事件编号", capture.event_id),
        ("违规行为", capture.violation),
        ("点位", capture.point),
        ("设备时间", _time(capture.device_time)),
        (
            "平台接收时间",
            f"{_time(capture.received_at)}（比设备时间{'晚' if offset >= 0 else '早'} {abs(offset):.1f} 秒）",
        ),
        ("来源地址", capture.source_address or "未记录"),
        *((label, value or "未填写") for label, value in capture.legal),
    ]
    warning = WARNING if capture.legal and not capture.legal_complete else ""
    return {"title": f"第 {number} 次取证", "rows": _rows(face, rows), "warning": warning}


def _picture_words(picture: ReportPicture, number: int, face: Typeface) -> dict[str, Any]:
    notes = [f"文件：{picture.path}"]
    if picture.derived_from:
        notes.append(f"提取自：{picture.derived_from}")
    if picture.made_by:
        notes.append(f"生成方法：{picture.made_by}")
    return {
        "caption": face.told(f"图 {number}　{picture.caption}"),
        "notes": [face.told(note) for note in notes],
        "sha256": face.plain(picture.sha256),
    }


def _proof(proof: ReportProof) -> list[tuple[str, str]]:
    stamped = f"{_time(proof.stamped_at)}，{proof.stamp_authority}" if proof.stamped_at else "没有时间戳"
    return [
        ("签章序号", str(proof.root_number)),
        ("签章时间", _time(proof.root_at)),
        (f"默克尔根\n（{proof.hash_name}）", proof.root),
        ("时间戳", stamped),
        ("签名算法", proof.signature),
        ("签名公钥指纹\n（SHA-256）", proof.fingerprint),
    ]


def _rows(face: Typeface, rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(face.told(label), face.told(value)) for label, value in rows]


def _time(moment: datetime) -> str:
    return moment.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{size / 1000:.1f} kB"
