"""A process of its own: `python -m tests.protection.program <command> …`, with the settings from the environment."""

from __future__ import annotations

import click
from mongoengine import IntField

from backend import protection, settings, storage
from backend.protection import BlindIndexField, EncryptedStringField, audit
from backend.protection.commands import commands
from backend.storage import Record


class Contact(Record):
    """A person with private data."""

    meta = {"collection": "test_contacts"}

    number = IntField()
    phone = EncryptedStringField(max_length=20)
    phone_index = BlindIndexField(of="phone")
    address = EncryptedStringField(db_field="where")


class Plain(Record):
    """A record without private data."""

    meta = {"collection": "test_plain"}

    number = IntField()


@click.group()
def cli() -> None:
    """Connect, then run the command."""
    chosen = settings.configure(settings.Settings.from_env())
    storage.connect(chosen.mongodb_url, chosen.mongodb_database)


@cli.command()
def first_key() -> None:
    """Encrypt with the first key that there is, when told so."""
    click.echo("ready")
    input()
    click.echo(protection.seal(b"data", b"place").hex())


@cli.command()
def seal_audit() -> None:
    """Chain what is unchained in many steps, when told so."""
    audit.BATCH = 20
    click.echo("ready")
    input()
    click.echo(str(audit.seal()))


for each in commands(lambda: [Plain, Contact]):
    cli.add_command(each)

if __name__ == "__main__":
    cli()
