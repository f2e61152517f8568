"""Migrations run once, in the order of their dates, and a failure is named and stops the rest."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backend.settings import Settings
from backend.storage import database, migrations
from backend.storage.commands import db_commands

pytestmark = pytest.mark.usefixtures("clean")

ADD = '"""{why}\n\nMore words."""\n\n\ndef migrate(db):\n    db.steps.insert_one({{"_id": "{step}"}})\n'


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Return the migration folders of the platform and of a plugin, with three scripts and a missing folder."""
    made = [tmp_path / owner / "migrations" for owner in ("backend", "base_info", "empty")]
    for folder in made[:2]:
        folder.mkdir(parents=True)
    write(made[0], "2026_11_22_first", "First.", "1")
    write(made[1], "2026_11_23_second", "Second.", "2")
    write(made[0], "2026_12_01_third", "Third.", "3")
    (made[0] / "__init__.py").write_text("")
    return made


def write(folder: Path, name: str, why: str, step: str) -> None:
    (folder / f"{name}.py").write_text(ADD.format(why=why, step=step), encoding="utf-8")


def run(folders: list[Path], *arguments: str) -> Result:
    return CliRunner().invoke(db_commands(lambda: folders), arguments)


def steps() -> list[str]:
    return [step["_id"] for step in database()["steps"].find()]


def test_the_whole_cycle(folders: list[Path]) -> None:
    before = run(folders, "status")
    assert before.exit_code == 1
    assert [line.split("\t")[0] for line in before.output.splitlines()] == ["待执行"] * 3

    dry = run(folders, "migrate", "--dry-run")
    assert [line.split("\t")[0] for line in dry.output.splitlines()] == [
        "将执行 backend/2026_11_22_first",
        "将执行 base_info/2026_11_23_second",
        "将执行 backend/2026_12_01_third",
    ]
    assert steps() == []

    done = run(folders, "migrate")
    assert (done.exit_code, steps()) == (0, ["1", "2", "3"])
    assert "共执行 3 个" in done.output
    entry = database()["migrations"].find_one({"_id": "backend/2026_11_22_first"})
    assert entry is not None
    assert (entry["why"], entry["success"]) == ("First.", True)
    assert "insert_one" in entry["source"]
    assert entry["seconds"] >= 0

    assert "共执行 0 个" in run(folders, "migrate").output
    assert run(folders, "status").exit_code == 0
    assert steps() == ["1", "2", "3"]


def test_a_failure_is_named_stops_the_rest_and_is_tried_again_once_mended(folders: list[Path]) -> None:
    script = folders[1] / "2026_11_23_second.py"
    script.write_text('"""Second."""\n\n\ndef migrate(db):\n    raise ValueError("no such field")\n')
    failed = run(folders, "migrate")
    assert failed.exit_code == 1
    assert "base_info/2026_11_23_second" in failed.output
    assert "ValueError: no such field" in failed.output
    assert steps() == ["1"]
    lines = run(folders, "status").output.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["已执行", "失败", "待执行"]
    assert "no such field" in lines[1]

    write(folders[1], "2026_11_23_second", "Second.", "2")
    assert run(folders, "migrate").exit_code == 0
    assert steps() == ["1", "2", "3"]


def test_scripts_that_changed_or_vanished_since_are_told(folders: list[Path]) -> None:
    run(folders, "migrate")
    write(folders[0], "2026_11_22_first", "First.", "other")
    (folders[0] / "2026_12_01_third.py").unlink()
    after = run(folders, "status")
    assert after.exit_code == 0
    assert [line.split("\t")[0] for line in after.output.splitlines()] == ["执行后被改动", "已执行", "脚本已不存在"]


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("tidy_up", '"""x."""\ndef migrate(db): ...', "must be called like"),
        ("2026_12_02_x", "def migrate(db): ...", "no docstring"),
        ("2026_12_02_x", '"""x."""', "no function migrate"),
        ("2026_12_02_x", '"""x."""\nimport nowhere_at_all', "cannot be read"),
    ],
)
def test_a_script_that_is_not_right_is_refused_before_any_runs(
    folders: list[Path], name: str, source: str, words: str
) -> None:
    (folders[0] / f"{name}.py").write_text(source)
    refused = run(folders, "migrate")
    assert refused.exit_code == 1
    assert words in refused.output
    assert steps() == []


def test_two_processes_do_not_run_at_once_and_a_dead_one_does_not_hold_the_lock(folders: list[Path]) -> None:
    now = datetime.now(UTC)
    lock = database()["migrations_lock"]
    lock.insert_one({"_id": "migrate", "holder": "other", "until": now + timedelta(seconds=30)})
    assert "另一个进程正在执行迁移" in run(folders, "migrate").output
    assert steps() == []
    lock.update_one({"_id": "migrate"}, {"$set": {"until": now - timedelta(seconds=1)}})
    assert run(folders, "migrate").exit_code == 0
    assert lock.count_documents({}) == 0


def test_of_many_starts_at_once_each_script_runs_once(clean: Settings, folders: list[Path]) -> None:
    def start_one() -> None:
        with suppress(migrations.Locked):
            migrations.migrate(folders)

    starts = [threading.Thread(target=start_one) for _ in range(6)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    run(folders, "migrate")
    assert steps() == ["1", "2", "3"], "a second run of a script would have met its own record"
    assert database()["migrations"].count_documents({"success": True}) == 3


def test_without_scripts_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert "没有迁移脚本" in run([tmp_path], "status").output
    assert run([tmp_path], "migrate").exit_code == 0
