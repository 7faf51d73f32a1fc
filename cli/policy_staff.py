"""`countersign policy staff FILE`: the people who publish and move the organisation's policy."""

import asyncio
from pathlib import Path
from typing import Annotated

import click
from pydantic import Field, StringConstraints, ValidationError, model_validator

from adapters.postgres.policies import ORGANISATION
from adapters.postgres.principals import ORGANISATION_TEAM
from adapters.postgres.tenant_registry import PrincipalEntry, TenantRegistry
from cli.connected import running_settings
from cli.tenant import tenant_stores
from cli.tenant_file import Part, parse_yaml, read_text, refusal
from domain.model import Code

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Person(Part):
    """Named by `id` in commands."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    name: str = Field(min_length=1, max_length=100)
    roles: tuple[Code, ...] = ()


class Staff(Part):
    """The whole file."""

    people: tuple[Person, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> "Staff":
        if len({person.id for person in self.people}) != len(self.people):
            raise ValueError("Give each person an id of their own")
        return self


@click.command()
@click.argument("file", type=FILE)
def staff(file: Path) -> None:
    """Register the organisation's people as FILE names them; whoever it no longer names may do nothing."""
    try:
        wanted = Staff.model_validate(parse_yaml(file, read_text(file, file)))
    except ValidationError as error:
        raise refusal(file, error) from None
    asyncio.run(_register(wanted))
    able = sum(bool({"compliance", "admin"} & set(person.roles)) for person in wanted.people)
    click.echo(f"{len(wanted.people)} people of the organisation, {able} of whom move its policy")


async def _register(wanted: Staff) -> None:
    async with tenant_stores(running_settings()) as stores:
        await put_staff(stores.registry, wanted)


async def put_staff(registry: TenantRegistry, wanted: Staff) -> None:
    """Repeating is safe."""
    await registry.add_organisation()
    entries = [
        PrincipalEntry(
            name=person.name, slack_team_id=ORGANISATION_TEAM, slack_user_id=person.id, roles=person.roles
        )
        for person in wanted.people
    ]
    await registry.retire_others(
        ORGANISATION, [await registry.put_principal(ORGANISATION, entry) for entry in entries]
    )
