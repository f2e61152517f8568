"""The operator's commands for the custody ledger."""

from __future__ import annotations

import click

from plugins.evidence.custody.signing import new_key
from plugins.evidence.custody.verifying import districts, verify_and_keep


@click.command("verify-ledger")
@click.option("--district", default=None, help="区县编码；不填则校验全部。")
def verify_ledger(district: str | None) -> None:
    """校验存证链、默克尔根、签名和时间戳；指出第一处破坏并以 1 退出."""
    results = [verify_and_keep(each) for each in (districts() if district is None else [district])]
    for each in results:
        click.echo(f"{each.district or '（全平台）'}　{each.sentence}　用时 {each.seconds:.1f} 秒")
    if not results:
        click.echo("还没有存证条目。")
    if any(each.fault for each in results):
        raise click.exceptions.Exit(1)


@click.command("rotate-evidence-key")
def rotate_evidence_key() -> None:
    """换用新的证据签名密钥；旧密钥保留，用于验证以前的签名."""
    key = new_key()
    click.echo(f"已启用新的证据签名密钥 {key.key_id}（{key.algorithm}，第 {key.number} 个）。")


COMMANDS = [verify_ledger, rotate_evidence_key]
