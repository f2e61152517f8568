"""The operator's command for the first administrator; the process is configured and connected before."""

from __future__ import annotations

import click

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
