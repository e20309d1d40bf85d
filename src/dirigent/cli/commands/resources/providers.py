"""Declares the commands about providers of OpenTofu and Terraform."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json

_FOR_PLATFORMS = click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="OS_ARCH",
    help="For this platform, as linux_arm64 (default: this machine's).",
)


@click.group()
def providers() -> None:
    """Providers of OpenTofu and Terraform: lock and bring them, fill mirrors, list them, show schemas."""


@providers.command()
@placed
@_FOR_PLATFORMS
@click.option("--upgrade", is_flag=True, help="The newest versions that the stack allows.")
@with_json
def lock(**options: object) -> int:
    """Choose the versions of the stack's providers, bring them, and write `dirigent.lock`.

    What is locked is kept as long as the stack allows it.
    """
    return call("providers.locking.lock", options)


@providers.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@placed
@_FOR_PLATFORMS
@with_json
def mirror(**options: object) -> int:
    """Bring the stack's providers into DIR, for machines without a network."""
    return call("providers.locking.mirror", options)


@providers.command("list")
@placed
@with_json
def list_(**options: object) -> int:
    """List the stack's providers: what it wants, what is locked, and whether it can be started here."""
    return call("providers.listing.listed", options)


@providers.command()
@click.argument("type_name", required=False, metavar="[TYPE]")
@placed
@with_json
def schema(**options: object) -> int:
    """Print the schemas of the stack's providers, or of TYPE, in JSON as `tofu providers schema` does."""
    return call("providers.schema.schema", options)
