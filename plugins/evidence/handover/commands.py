"""Verify packages on the platform's own machine, with the very file that lies in every package."""

from __future__ import annotations

from pathlib import Path

import click

from plugins.evidence.handover.verify_evidence import run


@click.command("verify-evidence")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", default="", metavar="FINGERPRINT", help="The fingerprint that the signing key must have.")
@click.option("--json", "as_json", is_flag=True, help="Print the result for programs.")
@click.pass_context
def verify_evidence(context: click.Context, file: Path, key: str, as_json: bool) -> None:
    """Verify a hand-over package FILE and name what was altered. 核验移送包."""
    context.exit(run(str(file), key, as_json, click.echo))
