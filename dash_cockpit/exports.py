"""What leaves the page: a panel as a workbook, and word of pictures and prints that the browser makes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import quote

import xlsxwriter
from flask import Blueprint, Response, abort, request

from backend.plugin_api import LOCAL_ZONE, utcnow
from backend.plugin_api.panels import Rows
from dash_cockpit.feeds import Feeds, Look, Shown
from dash_cockpit.sheets import Sheet, sheet_of
from dash_cockpit.snapshots import Answer
from dash_cockpit.words import width

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 48

#: What the browser makes by itself, and tells of.
MADE_BY_BROWSER = {"png", "print"}


def export_routes(routes: Blueprint, feeds: Feeds) -> None:
    """Add the routes of exports; the caller has made sure that somebody is logged in."""
    sources = feeds.sources

    @routes.get("/panels/<name>/export")
    def export_panel(name: str) -> Response:
        look = feeds.looking()
        owned = feeds.panel(look, name)
        key = request.args.get("key")
        answer = feeds.read_panel(look, owned) if key is None else feeds.read_rows(look, owned, key)
        shown = shown_in(answer)
        title = owned.record.title if key is None else f"{owned.record.title} 明细"
        if isinstance(shown.content, Rows):
            detail = {"as": "xlsx", "rows": len(shown.content.rows), "period": shown.period.days}
            audited(look, name, detail)
        places = " ".join(each.name for each in sources.trail(look.viewer, look.area))
        time = "当前" if owned.record.timeless else f"{shown.period.title}（{shown.period.days}）"
        facts = (
            ("区域", places),
            ("时段", time if shown.period.name != "range" else shown.period.days),
            ("数据时间", local(shown.made_at)),
            ("导出时间", local(utcnow())),
            ("导出人", look.viewer.name),
        )
        response = Response(workbook(title, facts, sheet_of(shown.content)), mimetype=XLSX)
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{title}.xlsx')}"
        response.headers["Cache-Control"] = "no-store"
        return response

    @routes.post("/taken")
    def tell_taken() -> Response:
        """Take note that the browser makes a picture of a panel or prints the page: an export of the lists on it."""
        look = feeds.looking()
        kind = request.args.get("as", "")
        names = request.args.getlist("panel")[:100]
        if kind not in MADE_BY_BROWSER or not names:
            abort(400)
        listed = []
        for owned in (feeds.panel(look, name) for name in names):
            answer = feeds.read_panel(look, owned)
            if answer.snapshot and isinstance(answer.snapshot.content.content, Rows):
                listed.append(owned.record.name)
        if listed:
            detail = {"as": kind, "panels": listed, "period": look.period.days}
            audited(look, request.args.get("theme", "")[:40], detail)
        return Response(status=204)

    def audited(look: Look, name: str, detail: dict[str, Any]) -> None:
        sources.audited(look.viewer, name, look.area.path, detail)


def shown_in(answer: Answer) -> Shown:
    """Return what a panel shows or last showed; 503 while there was never anything."""
    if answer.snapshot is None:
        unavailable()
    shown: Shown = answer.snapshot.content
    return shown


def unavailable() -> NoReturn:
    """Say that there is nothing to export now."""
    abort(Response("数据暂时无法读取，请稍后再试。", status=503, mimetype="text/plain"))


def local(at: datetime) -> str:
    """Return a time in the clock of Shanghai."""
    return at.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def workbook(title: str, facts: Sequence[tuple[str, str]], sheet: Sheet) -> bytes:
    """Return a workbook with one sheet: title, facts about it, and the table; texts are texts, whatever they say."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        page = book.add_worksheet("数据")
        heading = book.add_format({"bold": True, "font_size": 16})
        soft = book.add_format({"font_color": "#5F6F8C"})
        head = book.add_format({"bold": True, "bg_color": "#E1EDFB", "border": 1, "border_color": "#B7CDE8"})
        number = book.add_format({"num_format": "#,##0.##"})
        share = book.add_format({"num_format": "0.0%"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        page.write_string(0, 0, title, heading)
        for row, (name, text) in enumerate(facts, 1):
            page.write_string(row, 0, name, soft)
            page.write_string(row, 1, text)
        top = len(facts) + 2
        for column, name in enumerate(sheet.columns):
            longest = max(
                [width(name)] + [width(str(line[column])) for line in sheet.lines[:200] if column < len(line)]
            )
            page.set_column(column, column, min(2 * longest + 3, WIDEST))
            page.write_string(top, column, name, head)
        page.freeze_panes(top + 1, 0)
        for row, line in enumerate(sheet.lines, top + 1):
            for column, value in enumerate(line):
                if isinstance(value, str):
                    page.write_string(row, column, value)
                elif isinstance(value, datetime):
                    page.write_datetime(row, column, value.astimezone(LOCAL_ZONE).replace(tzinfo=None), moment)
                elif value is not None:
                    page.write_number(row, column, value, share if column in sheet.shares else number)
        for row, text in enumerate(sheet.notes, top + len(sheet.lines) + 2):
            page.write_string(row, 0, text, soft)
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
    return file.getvalue()
