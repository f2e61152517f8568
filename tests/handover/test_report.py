"""The report of a hand-over: read back and drawn as a reader would, whatever the texts hold."""

from __future__ import annotations

import dataclasses
import io
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from PIL import Image

from backend import settings as settings_module
from backend.plugin_api import LOCAL_ZONE
from backend.settings import Settings
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
from plugins.evidence.handover.report import ReportUnavailable, report
from plugins.evidence.handover.typeface import typeface
from plugins.evidence.health import report_ready

SEEN = datetime(2026, 11, 20, 7, 31, 5, tzinfo=LOCAL_ZONE)
HASH, OTHER = "3f" * 32, "a7" * 32


@pytest.fixture(autouse=True)
def configured() -> Any:
    before = settings_module._current
    settings_module.configure(Settings())
    yield
    settings_module._current = before


def photo(width: int = 400, height: int = 300, seed: int = 1) -> bytes:
    """Return a noisy JPEG, which compresses as badly as a real photo does."""
    noise = np.random.default_rng(seed).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC).save(out, "JPEG", quality=92)
    return out.getvalue()


def picture(content: bytes, caption: str = "现场照片") -> ReportPicture:
    return ReportPicture(content=content, caption=caption, path="exhibits/0001.jpg", sha256=HASH)


CAPTURE = ReportCapture(
    source="设备",
    sender="D1",
    device_name="1 号摄像机",
    event_id="event-1",
    violation="混投垃圾",
    point="阳光花园 1 号投放点",
    device_time=SEEN,
    received_at=SEEN + timedelta(seconds=2),
    clock_offset=1.8,
    source_address="10.1.2.3",
    legal=(("法制审核文件", "甲城管审〔2026〕12 号"), ("公布地址", "")),
    legal_complete=False,
)
FACTS = ReportFacts(
    number="33-2026-000123",
    kind="penalty",
    kind_title="建议处罚",
    violation="混投垃圾",
    areas=("甲区", "东街道", "阳光花园"),
    point="阳光花园 1 号投放点",
    place=(120.101, 30.271),
    first_at=SEEN,
    last_at=SEEN,
    captures=(CAPTURE,),
    pictures=(picture(photo()),),
    decisions=(ReportDecision(title="会签同意", name="王芳", at=SEEN, reason="照片清楚。"),),
    defences=(ReportDefence(at=SEEN, text="当时袋子已破。", answer="已核实。", answered_by="李明", answered_at=SEEN),),
    files=(ReportFile(path="originals/1.jpg", role="原件", title="照片", size=1_234_567, sha256=HASH, sm3=OTHER),),
    entries=(ReportEntry(number=1, at=SEEN, person="王芳", action="收取原件", purpose="", hash=OTHER),),
    proof=ReportProof(
        root=HASH,
        root_at=SEEN,
        root_number=17,
        hash_name="SHA-256",
        stamped_at=None,
        stamp_authority="",
        signature="Ed25519",
        fingerprint=":".join(["AB"] * 32),
    ),
    made_at=SEEN + timedelta(days=3),
    made_by="王芳",
    made_for="甲区综合行政执法局",
    purpose="依法移送处理",
)


def with_(**values: Any) -> ReportFacts:
    return dataclasses.replace(FACTS, **values)


def text_of(pdf: bytes) -> str:
    """Return all text, without the breaks that the layout made."""
    pages = pypdfium2.PdfDocument(pdf)
    return "".join(page.get_textpage().get_text_range() for page in pages).replace("\r\n", "").replace("\u200b", "")


def test_all_that_the_facts_say_stands_in_the_report_on_numbered_a4_pages():
    pdf = report(FACTS)
    document = pypdfium2.PdfDocument(pdf)
    text = text_of(pdf)
    assert all(abs(page.get_width() - 595.3) < 1 and abs(page.get_height() - 841.9) < 1 for page in document)
    for number, page in enumerate(document, 1):
        on_page = page.get_textpage().get_text_range()
        assert f"第 {number} 页 共 {len(document)} 页" in on_page and "案号：33-2026-000123" in on_page
    for words in (
        "建议处罚", "甲区 · 东街道 · 阳光花园", "2026-11-20 07:31:05", "比设备时间晚 1.8 秒", "甲城管审〔2026〕12 号",
        "公布地址", "未填写", "法定资料不齐", "图 1", HASH, OTHER, "会签同意", "照片清楚。", "当时袋子已破。",
        "已核实。", "1.2 MB", "收取原件",
        "没有时间戳", "Ed25519", "甲区综合行政执法局", "移送人（签名）", "接收单位（盖章）",
    ):  # fmt: skip
        assert words in text, words


def test_the_fonts_are_inside_and_the_same_facts_give_the_same_bytes():
    pdf = report(FACTS)
    assert report(FACTS) == pdf
    assert b"pdfaid" in pdf  # PDF/A: Typst refuses to write one with a character that no embedded font draws
    assert report(with_(made_at=FACTS.made_at + timedelta(seconds=1))) != pdf
    fonts = 0
    for page in pypdfium2.PdfDocument(pdf):
        for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]):
            assert pdfium.FPDFFont_GetIsEmbedded(pdfium.FPDFTextObj_GetFont(each.raw)) == 1
            fonts += 1
    assert fonts > 50


def test_texts_are_shown_as_they_are_and_never_run():
    hostile = '#panic("x") *粗* $x^2$ @a <b>标签</b> `代码` \\u{41} = 标题\n#read("/etc/passwd") //注释'
    text = text_of(report(with_(defences=(ReportDefence(at=SEEN, text=hostile),), number="案#1<x>")))
    squeezed = "".join(text.split())  # between Chinese and Latin letters the layout leaves a gap
    assert "".join(hostile.split()) in squeezed and "案#1<x>" in squeezed and "root:" not in text


def test_what_cannot_be_drawn_or_seen_is_told_by_its_number():
    words = "好😀\u202e反\u200b转\u0000العر𠮷"
    text = text_of(report(with_(purpose=words)))
    for number in ("U+1F600", "U+202E", "U+200B", "U+0000", "U+0627", "U+20BB7"):
        assert number in text
    assert "\u202e" not in text


def test_a_word_without_end_stays_on_the_paper():
    pdf = report(with_(point="W" * 400, purpose="https://example.cn/" + "a" * 300))
    for page in pypdfium2.PdfDocument(pdf):
        drawn = [each.get_bounds() for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT])]
        assert drawn and min(left for left, *_ in drawn) > 50 and max(right for *_, right, _ in drawn) < 560


@effort(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_a_report(one: str, two: str):
    assert report(with_(pictures=(), violation=one, made_by=two, areas=(two, one))).startswith(b"%PDF")


def test_twenty_large_photos_make_a_file_that_can_be_sent():
    photos = tuple(picture(photo(2400, 1800, seed), f"照片 {seed}") for seed in range(20))
    pdf = report(with_(pictures=photos))
    assert len(pdf) < 6_000_000
    images = [
        each
        for page in pypdfium2.PdfDocument(pdf)
        for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=5)
    ]
    assert len(images) == 20
    for each in images:
        left, _bottom, right, _top = each.get_bounds()
        pixels = each.get_px_size()[0]
        assert 150 < pixels / ((right - left) / 72) < 205  # to the inch


def test_of_a_ledger_without_end_the_two_ends_are_printed():
    entries = tuple(dataclasses.replace(FACTS.entries[0], number=number) for number in range(90_001, 90_604))
    pdf = report(with_(entries=entries, pictures=()))
    text = text_of(pdf)
    shown = {number for number in range(90_001, 90_604) if str(number) in text}
    assert shown == {*range(90_001, 90_201), *range(90_404, 90_604)}
    assert "略去 203 条" in text and len(pypdfium2.PdfDocument(pdf)) < 30
    exact = text_of(report(with_(entries=entries[:400], pictures=())))
    assert "略去" not in exact and all(str(number) in exact for number in range(90_001, 90_401))


def test_a_picture_that_is_none_leaves_a_remark_and_metadata_is_left_behind():
    tagged = Image.open(io.BytesIO(photo()))
    exif = Image.Exif()
    exif[0x010E] = "<script>秘密</script>"
    out = io.BytesIO()
    tagged.save(out, "JPEG", exif=exif)
    pdf = report(with_(pictures=(picture(b"<html>"), picture(out.getvalue()))))
    assert "图片无法读取" in text_of(pdf) and b"<script>" not in pdf


def test_a_deployments_own_font_is_used_and_a_bad_one_is_named(tmp_path: Path):
    import pylopdf_fonts_zh_cn as brought

    own = tmp_path / "own.otf"
    shutil.copy(brought.sans_path(), own)
    settings_module.configure(Settings(report_font=str(own)))
    assert typeface(str(own)).body[0] == "Noto Sans SC"
    assert report(FACTS).startswith(b"%PDF") and report_ready().state == "ok"

    own.write_bytes(b"no font")
    for path in (own, tmp_path / "missing.ttf"):
        settings_module.configure(Settings(report_font=str(path)))
        with pytest.raises(ReportUnavailable, match=path.name):
            report(FACTS)
        assert report_ready().state == "warn"


def test_without_any_font_the_health_page_says_so_instead_of_boxes_in_the_report(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pylopdf_fonts_zh_cn", None)
    typeface.__globals__["_typeface"].cache_clear()
    with pytest.raises(ReportUnavailable, match="没有中文字体"):
        report(FACTS)
    assert "没有中文字体" in report_ready().detail
    typeface.__globals__["_typeface"].cache_clear()


def test_the_report_needs_neither_network_nor_the_systems_fonts(tmp_path: Path):
    program = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = refuse\n"
        "import tests.handover.test_report as t\n"
        "from backend import settings; settings.configure(settings.Settings())\n"
        "sys.stdout.buffer.write(t.report(t.FACTS))\n"
    )
    alone = {"HOME": str(tmp_path), "PATH": "", "FONTCONFIG_FILE": "/dev/null", "PYTHONPATH": str(Path.cwd())}
    run = subprocess.run([sys.executable, "-c", program], env=alone, capture_output=True, check=True)
    assert run.stdout == report(FACTS)
