"""The operator's command for blobs."""

from __future__ import annotations

import click

from backend.blobs.errors import BlobStoreUnavailable
from backend.blobs.scrubbing import RottenBlob, scrub_all
from backend.storage import LOCAL_ZONE


@click.command("scrub-blobs", help="立即完整检查一遍所有文件：逐个解密并核对 SHA-256；有损坏则列出位置并以 1 退出。")
def scrub_blobs() -> None:
    """Run a whole round of the scrub now and print what it found."""
    try:
        status = scrub_all(click.echo)
    except BlobStoreUnavailable as error:
        raise click.ClickException(str(error)) from error
    for each in status.rotten:
        click.echo(line(each))
    if status.rotten_count:
        raise click.ClickException(f"共检查 {status.round_checked} 个文件，其中 {status.rotten_count} 个已损坏或缺失。")
    click.echo(f"共检查 {status.round_checked} 个文件，全部完好。")


def line(rotten: RottenBlob) -> str:
    """Say in one line which blob is bad, and where."""
    if rotten.kind == "missing":
        what = "缺失"
    elif rotten.chunk is None:
        what = "密钥无法打开"
    else:
        what = f"损坏，第 {rotten.chunk + 1} 块（从第 {rotten.offset} 字节起）"
    since = rotten.found_at.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M")
    return f"{rotten.space} {rotten.sha256} {what}，{since} 发现"
