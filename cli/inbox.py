"""`countersign inbox list|redeliver|dismiss`: what arrived, without what it says, and another try for it."""

import asyncio
import re
from datetime import timedelta
from uuid import UUID

import click
from rich.table import Table

from adapters.postgres.inbox import InboxState
from adapters.postgres.inbox_lists import DeliveryLine, Wanted
from cli.connected import Connected, connected
from cli.redelivery import Redelivery
from cli.terminal import console

AGE = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SHORT = 8
COLUMNS = ("tenant", "delivery", "kind", "source", "route", "state", "tries", "received (UTC)", "due", "age")
STUCK_AFTER = timedelta(minutes=1)
MOST_AT_ONCE = 100


class Age(click.ParamType[timedelta]):
    """`90s`, `5m`, `2h` or `7d`."""

    name = "age"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Raises a sentence."""
        if isinstance(value, timedelta):
            return value
        found = AGE.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no age. Write it as 90s, 5m, 2h or 7d", param, ctx)
        return timedelta(**{UNITS[found[2]]: int(found[1])})


@click.group()
def inbox() -> None:
    """Lists deliveries, and wakes tickets for them again."""


@inbox.command("list")
@click.argument("tenant", required=False)
@click.option("--state", type=click.Choice([state.value for state in InboxState]))
@click.option("--older-than", type=Age(), default=timedelta(), help="90s, 5m, 2h or 7d")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def list_deliveries(tenant: str | None, state: str | None, older_than: timedelta, limit: int) -> None:
    """Deliveries of TENANT, or of every tenant, the oldest first. Never what they say."""
    wanted = Wanted(InboxState(state) if state else None, older_than, limit)
    asyncio.run(_list(tenant, wanted))


@inbox.command()
@click.argument("tenant", required=False)
@click.argument("delivery", type=click.UUID, required=False)
@click.option("--all-of", metavar="TENANT/NUMBER", help="Every delivery of one ticket that is not consumed")
@click.option("--stuck", is_flag=True, help="Every delivery of TENANT not consumed after a minute")
def redeliver(tenant: str | None, delivery: UUID | None, all_of: str | None, stuck: bool) -> None:  # noqa: FBT001 - click's signature
    """Wakes a ticket again. It reads the helpdesk anew; a message that had its turn gets no other."""
    chosen = (tenant is not None and delivery is not None, all_of is not None, stuck)
    if sum(chosen) != 1 or (all_of and tenant) or (stuck and not tenant):
        raise click.UsageError("Name TENANT and DELIVERY, or --all-of TENANT/NUMBER, or TENANT and --stuck")
    asyncio.run(_redeliver(tenant or "", delivery, all_of))


@inbox.command()
@click.argument("tenant")
@click.argument("delivery", type=click.UUID)
def dismiss(tenant: str, delivery: UUID) -> None:
    """Ends a delivery that names no ticket and never will. Its body cannot be opened afterwards."""
    asyncio.run(_dismiss(tenant, delivery))


async def _list(tenant: str | None, wanted: Wanted) -> None:
    table = Table(*COLUMNS, box=None)
    async with connected() as system:
        names = [tenant] if tenant else [each.name for each in await system.all_tenants()]
        for name in names:
            for line in await system.inbox.rows(await system.tenant(name), wanted):
                table.add_row(name, *_cells(line))
    console().print(table if table.row_count else "No such deliveries")


def _cells(line: DeliveryLine) -> tuple[str, ...]:
    return (
        str(line.id),
        line.kind,
        line.source,
        (line.route or "")[:SHORT],
        line.state,
        str(line.attempts),
        f"{line.received_at:%Y-%m-%d %H:%M:%S}",
        f"{line.not_before:%H:%M:%S}",
        str(timedelta(seconds=int(line.age.total_seconds()))),
    )


async def _redeliver(tenant: str, delivery: UUID | None, all_of: str | None) -> None:
    async with connected() as system:
        if all_of:
            reference = await system.ticket(all_of)
            name, tenant_id = all_of.partition("/")[0], reference.tenant_id
            lines = await _unconsumed(system, tenant_id, Wanted(route=reference.route))
        else:
            name, tenant_id = tenant, await system.tenant(tenant)
            lines = await _chosen(system, tenant_id, delivery)
        refused = await _each(Redelivery(system, name, tenant_id), lines)
    if not lines:
        console().print("Nothing waits there")
    if refused:
        raise click.ClickException("\n".join(refused))


async def _each(redelivery: Redelivery, lines: list[DeliveryLine]) -> list[str]:
    """Why some could not be redelivered: one of them keeps no other from it."""
    refused: list[str] = []
    for line in lines:
        try:
            console().print(f"{line.id}: {await redelivery.of(line)}")
        except click.ClickException as error:
            refused.append(error.message)
    return refused


async def _chosen(system: Connected, tenant_id: UUID, delivery: UUID | None) -> list[DeliveryLine]:
    if delivery is None:
        return await _unconsumed(system, tenant_id, Wanted(older_than=STUCK_AFTER))
    line = await system.inbox.one(tenant_id, delivery)
    if line is None:
        raise click.ClickException(f"There is no delivery {delivery}. `countersign inbox list` names them")
    return [line]


async def _unconsumed(system: Connected, tenant_id: UUID, among: Wanted) -> list[DeliveryLine]:
    found: list[DeliveryLine] = []
    for state in (InboxState.PENDING, InboxState.DISPATCHED):
        wanted = Wanted(state, among.older_than, MOST_AT_ONCE, among.route)
        found += await system.inbox.rows(tenant_id, wanted)
    return found


async def _dismiss(tenant: str, delivery: UUID) -> None:
    async with connected() as system:
        tenant_id = await system.tenant(tenant)
        if not await system.inbox.end_unroutable(tenant_id, delivery, InboxState.REFUSED):
            raise click.ClickException(
                f"{delivery} is no delivery without a ticket, so it cannot be dismissed"
            )
    console().print(f"{delivery} is dismissed; it can no longer be opened")
