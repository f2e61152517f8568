"""The fonts of the report: the deployment's own, else those of the extra `report`; a plain server has none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

#: Characters that print nothing and may turn text around or hide it: controls, bidi marks, tags, joiners.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]")
#: What no line can be broken in: hashes, addresses, keyboards that someone fell asleep on.
LONG_WORD = re.compile(r"[!-~\u00a1-\u2bff]{21,}")
BREAK = "\u200b"
PIECE = 8


class ReportUnavailable(Exception):
    """The report cannot be set: `detail` is a Chinese sentence for the operator."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True)
class Typeface:
    """Fonts as Typst takes them; `body` and `head` are families in the order of trust, `covered` what they draw."""

    fonts: Any
    body: tuple[str, ...]
    head: tuple[str, ...]
    covered: frozenset[int]

    def told(self, words: str) -> str:
        """Return text that can be printed, in which a long word can be broken."""
        return LONG_WORD.sub(_in_pieces, self.plain(words))

    def plain(self, words: str) -> str:
        """Return text that can be printed: nothing is lost, nothing hides.

        A character that the fonts cannot draw, or that would not be seen, is printed as its number: 〔U+1F600〕.
        """
        plain = words.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        out: list[str] = []
        missing: list[str] = []
        for each in plain:
            if each == "\n" or (ord(each) in self.covered and not UNSEEN.match(each)):
                if missing:
                    out.append(f"〔{' '.join(missing)}〕")
                    missing = []
                out.append(each)
            else:
                missing.append(f"U+{ord(each):04X}")
        if missing:
            out.append(f"〔{' '.join(missing)}〕")
        return "".join(out)


def typeface(own_font: str) -> Typeface:
    """Return the fonts, `own_font` (path of a TTF, OTF or TTC) first; raises ReportUnavailable without any Chinese one.

    Reading a font's table of characters takes about 0.2 s, once a process.
    """
    own = Path(own_font).resolve() if own_font else None
    return _typeface(own, own.stat().st_mtime if own and own.is_file() else 0.0)


@lru_cache(maxsize=2)
def _typeface(own: Path | None, _changed: float) -> Typeface:
    try:
        import typst
    except ImportError:
        raise ReportUnavailable("没有安装报告组件，请安装扩展 report（typst、fonttools）。") from None
    if own and not own.is_file():
        raise ReportUnavailable(f"没有找到报告字体 {own}，请检查 QINGXU_REPORT_FONT。")
    bundled = _bundled()
    folders = dict.fromkeys(path.parent for path in (own, *bundled) if path)
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(f) for f in folders])
    families: dict[Path, tuple[str, int]] = {}
    for info in fonts.fonts():
        if info.path:
            families.setdefault(Path(info.path).resolve(), (info.family, info.index))
    if own and own not in families:
        raise ReportUnavailable(f"无法读取报告字体 {own}，应为 TTF、OTF 或 TTC。")
    chosen = [path for path in (own, *bundled) if path]
    if not chosen:
        raise ReportUnavailable("没有中文字体：请安装扩展 report，或用 QINGXU_REPORT_FONT 指定一个字体文件。")
    covered = frozenset().union(*(_characters(path, families[path][1]) for path in chosen))
    if not {ord("案"), ord("证"), ord("〔")} <= covered:
        raise ReportUnavailable(f"报告字体 {chosen[0]} 不含中文字形。")
    body = tuple(families[path][0] for path in chosen)
    head = body if own else tuple(reversed(body))
    return Typeface(fonts, body, head, covered)


def _bundled() -> list[Path]:
    """Return the fonts that the extra brings: a serif one (宋体) for text and a sans one (黑体) for headings."""
    try:
        import pylopdf_fonts_zh_cn as brought
    except ImportError:
        return []
    return [brought.serif_path().resolve(), brought.sans_path().resolve()]


def _characters(path: Path, number: int) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=number, lazy=True) as font:
        return frozenset(font.getBestCmap())


def _in_pieces(found: re.Match[str]) -> str:
    word = found[0]
    return BREAK.join(word[start : start + PIECE] for start in range(0, len(word), PIECE))
