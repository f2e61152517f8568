"""The operator's commands for keys and for the audit trail; the process is configured and connected before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import click
from mongoengine import Document

from backend.protection import audit, keys
from backend.protection.keys import MasterKeyError
from backend.protection.rotation import Sealed, rotate_keys

T = TypeVar("T")

ROTATE = """换用新一版数据密钥和当前设置的算法，重新加密所有加密字段和文件密钥。

可随时中断，再次运行即续行；运行期间业务照常读写。盲索引密钥和审计密钥不轮换：换了便查不到、验不了旧数据。
"""
REWRAP = "更换主密钥后运行：用 QINGXU_PREVIOUS_MASTER_KEY 解开、用 QINGXU_MASTER_KEY 重新封装所有数据密钥。"
VERIFY = "校验审计链：完整则给出末条校验值（可抄存备查），否则指出第一处破坏并以 1 退出。"


def commands(documents: Callable[[], Iterable[type[Document]]], sealed: Iterable[Sealed] = ()) -> list[click.Command]:
    """Return the commands; `documents` is asked for all stored documents when keys are rotated, `sealed` goes along."""

    @click.command("rotate-keys", help=ROTATE)
    @click.option("--batch-size", default=500, show_default=True, type=click.IntRange(1, 10_000), help="每批记录数")
    def rotate(batch_size: int) -> None:
        result = _or_sentence(lambda: rotate_keys(documents(), sealed=sealed, tell=click.echo, batch_size=batch_size))
        for place in result.unreadable:
            click.echo(f"无法解密：{place}", err=True)
        if result.unreadable:
            raise click.ClickException("有加密字段无法解密，旧密钥未停用。")
        click.echo(f"轮换完成：数据密钥第 {result.version} 版，本次重新加密 {result.changed} 个字段，旧版已停用。")

    @click.command("rewrap-keys", help=REWRAP)
    def rewrap() -> None:
        click.echo(f"已重新封装 {_or_sentence(keys.rewrap)} 个数据密钥。")

    @click.command("verify-audit", help=VERIFY)
    @click.option("--noted", default="", help="以前抄存的末条校验值，一并核对")
    def verify(noted: str) -> None:
        result = _or_sentence(lambda: audit.verify(noted))
        click.echo(result.sentence)
        if result.fault is not None:
            raise click.exceptions.Exit(1)

    return [rotate, rewrap, verify]


def _or_sentence(work: Callable[[], T]) -> T:
    """Turn what the operator can put right into one sentence instead of a traceback."""
    try:
        return work()
    except (MasterKeyError, audit.NotAHead) as error:
        raise click.ClickException(str(error)) from error
