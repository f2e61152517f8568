"""What a plugin says of itself is read as text, and said to be wrong in words when it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.plugins_host.metadata import check_window, read_info
from backend.plugins_host.refusal import Refusal

GOOD = 'PluginInfo(name="noise", title="噪声", version="1.2", platform=">=0.1,<0.2", needs=("base_info",))'


def read(tmp_path: Path, text: str | bytes) -> object:
    file = tmp_path / "__init__.py"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_info(file)


@pytest.mark.parametrize("start", ["PLUGIN = ", "PLUGIN: PluginInfo = ", "PLUGIN = api."])
def test_good_metadata_is_read_without_running_anything(tmp_path: Path, start: str) -> None:
    info = read(tmp_path, f"raise SystemExit\n{start}{GOOD}\n")
    assert (info.name, info.title, info.version, info.needs) == ("noise", "噪声", "1.2", ("base_info",))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "应有一处"),
        (f"PLUGIN = {GOOD}\nPLUGIN = {GOOD}", "实有 2 处"),
        ("def f(:", "不是有效的 Python"),
        (b"\x00", "不是有效的 Python"),
        (b"# -*- coding: no-such-code -*-\n", "不是有效的 Python"),
        ("PLUGIN = make()", "应为 PluginInfo"),
        ('PLUGIN = PluginInfo("noise")', "只用关键字参数"),
        ("PLUGIN = PluginInfo(**values)", "须为字面值"),
        ('PLUGIN = PluginInfo(name="a")', "缺少 title、version、platform"),
        (f"PLUGIN = {GOOD[:-1]}, colour=1)", "没有字段 colour"),
        (f"PLUGIN = {GOOD.replace('noise', 'No ise')}", "小写字母"),
        (f"PLUGIN = {GOOD.replace('1.2', 'new')}", "版本写法有误"),
        (f"PLUGIN = {GOOD.replace('>=0.1,<0.2', 'any')}", "版本写法有误"),
        ('PLUGIN = PluginInfo(name="a", title="", version="1", platform="")', "须为非空文字"),
        ('PLUGIN = PluginInfo(name="a", title="t", version="1", platform="", needs="base_info")', "needs 须为"),
        ("x = " + "(" * 5000, "不是有效的 Python"),
    ],
)
def test_bad_metadata_is_refused_in_words(tmp_path: Path, text: str | bytes, reason: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(tmp_path, text)
    assert reason in caught.value.zh and caught.value.state == "broken"


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: f"PLUGIN = PluginInfo({text})".encode(errors="replace"))
)
def test_no_text_does_more_than_be_refused(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    with pytest.raises(Refusal):
        read(tmp_path_factory.mktemp("plugin"), text)


@pytest.mark.parametrize(
    ("version", "fits"), [("0.1.0", True), ("0.1.9", True), ("0.2.0", False), ("0.0.9", False), ("0.1.5rc1", True)]
)
def test_the_version_window(tmp_path: Path, version: str, fits: bool) -> None:
    info = read(tmp_path, f"PLUGIN = {GOOD}")
    if fits:
        check_window(info, version)
    else:
        with pytest.raises(Refusal):
            check_window(info, version)
