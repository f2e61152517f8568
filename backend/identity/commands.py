"""The operator's commands: the first administrator, and boundaries; the process is configured and connected before."""

from __future__ import annotations

from pathlib import Path

import click

from backend.identity.datum import DATUMS, Datum
from backend.identity.errors import IdentityError, Invalid
from backend.identity.passwords import random_password
from backend.identity.people import make_user


@click.command("create-administrator", help="新建系统管理员。密码留空时自动生成，只显示一次，首次登录须修改。")
@click.option("--account", prompt="账号", help="登录账号")
@click.option("--name", prompt="姓名", default="系统管理员", show_default=True, help="姓名")
@click.option(
    "--password",
    prompt="密码（留空自动生成）",
    default="",
    show_default=False,
    hide_input=True,
    confirmation_prompt="再次输入密码",
    help="密码；留空自动生成",
)
def create_administrator(account: str, name: str, password: str) -> None:
    """Make an account that holds the administrator's role on the whole platform."""
    chosen = password or random_password()
    try:
        user = make_user(
            chosen, must_change=not password, account=account, name=name, user_type="administrator", area=""
        )
    except Invalid as error:
        sentences = [sentence for messages in error.fields.values() for sentence in messages]
        raise click.ClickException(" ".join(sentences) or error.detail) from error
    except IdentityError as error:
        raise click.ClickException(error.detail) from error
    click.echo(f"已新建系统管理员：{user.account}")
    if not password:
        click.echo(f"初始密码（只显示这一次）：{chosen}")


@click.command("import-boundaries", help="从 GeoJSON 文件导入区域边界。坐标系须注明，只在导入时转换一次。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--datum", type=click.Choice(DATUMS), required=True, help="文件的坐标系")
@click.option("--code-property", default="code", show_default=True, help="写有区域编码的属性")
@click.option("--tolerance", type=click.FloatRange(0, 1000), help="简化容差（米）；留空按级别，0 不简化")
@click.option("--skip-bad", is_flag=True, help="导入没有问题的要素；否则有一个问题就全部不导入")
@click.option("--dry-run", is_flag=True, help="只检查，不写入")
def import_boundaries(
    file: Path, datum: Datum, code_property: str, tolerance: float | None, skip_bad: bool, dry_run: bool
) -> None:
    """Check every feature, say what is wrong with each, and write all or nothing."""
    from backend.identity import boundaries  # here alone: no other command needs geometry

    try:
        features = boundaries.read_features(file.read_bytes())
    except boundaries.BoundaryFileError as error:
        raise click.ClickException(str(error)) from error
    examined = boundaries.examine(features, datum=datum, code_property=code_property, tolerance=tolerance)
    bad = [each for each in examined if each.faults]
    for each in examined:
        for fault in each.faults:
            click.echo(f"{each.title}：{fault}", err=True)
        for note in each.notes if not each.faults else ():
            click.echo(f"{each.title}：{note}")
    before, after = (sum(each.corners[i] for each in examined if not each.faults) for i in (0, 1))
    click.echo(f"共 {len(examined)} 个要素，{len(bad)} 个有问题；顶点 {before} 个，简化后 {after} 个。")
    if dry_run:
        click.echo("只作检查，没有写入。")
    elif bad and not skip_bad:
        raise click.ClickException("没有写入任何边界。请更正后重试，或用 --skip-bad 只导入没有问题的要素。")
    else:
        try:
            changed = boundaries.write(examined, file.name, datum)
        except IdentityError as error:
            raise click.ClickException(f"没有写入任何边界：区域刚被他人修改，请重试。{error.detail}") from error
        click.echo(f"已写入 {changed} 个边界，{len(examined) - len(bad) - changed} 个没有变化。")
    if bad:
        raise SystemExit(1)
