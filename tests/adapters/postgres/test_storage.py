"""What customers said is readable with the ticket's key only, for its life only."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from adapters.embedded.postgres import PostgresServer
from adapters.postgres.artifacts import LARGEST_REMEMBERED, PostgresArtifacts
from adapters.postgres.vault import PostgresVault
from domain.errors import ArtifactExpired, KeyDestroyed
from domain.ports import ArtifactKind
from tests.adapters.postgres.story import Story, now

PLANTED = "zerlina.quast@invented.example"


@pytest.fixture
def artifacts(story: Story) -> PostgresArtifacts:
    return PostgresArtifacts(story.databases.app, story.keys)


@pytest.fixture
def vault(story: Story) -> PostgresVault:
    return PostgresVault(story.databases.app, story.keys)


class Clock:
    """Moves when it is told to."""

    def __init__(self, time: datetime | None = None) -> None:
        self.time: datetime = time or now()

    def __call__(self) -> datetime:
        return self.time.astimezone(UTC)


async def test_an_artifact_is_read_as_it_was_put(story: Story, artifacts: PostgresArtifacts) -> None:
    ref = await artifacts.put(story.ticket, ArtifactKind.DRAFT, b"Hello")

    assert await artifacts.get(story.ticket, ref) == b"Hello"


async def test_an_artifact_is_read_by_another_process(story: Story, artifacts: PostgresArtifacts) -> None:
    ref = await artifacts.put(story.ticket, ArtifactKind.DRAFT, b"Hello")

    assert await PostgresArtifacts(story.databases.app, story.keys).get(story.ticket, ref) == b"Hello"


async def test_the_next_step_reads_an_artifact_without_asking_the_database(story: Story) -> None:
    writer = PostgresArtifacts(story.databases.app, story.keys, clock := Clock())
    reader = PostgresArtifacts(story.databases.app, story.keys, clock)
    ref = await writer.put(story.ticket, ArtifactKind.RAW, b"text", timedelta(hours=1))
    await reader.get(story.ticket, ref)
    later = Clock(clock.time + timedelta(hours=2))
    await PostgresArtifacts(story.databases.app, story.keys, later).drop_expired(story.ticket.tenant_id)

    assert await writer.get(story.ticket, ref) == b"text"
    assert await reader.get(story.ticket, ref) == b"text"


async def test_a_large_artifact_is_read_from_the_database_each_time(story: Story) -> None:
    artifacts = PostgresArtifacts(story.databases.app, story.keys, clock := Clock())
    large = b"x" * LARGEST_REMEMBERED
    ref = await artifacts.put(story.ticket, ArtifactKind.RAW, large, timedelta(hours=1))
    assert await artifacts.get(story.ticket, ref) == large
    later = Clock(clock.time + timedelta(hours=2))
    await PostgresArtifacts(story.databases.app, story.keys, later).drop_expired(story.ticket.tenant_id)

    with pytest.raises(ArtifactExpired):
        await artifacts.get(story.ticket, ref)


async def test_the_same_content_has_the_same_name_per_ticket_and_kind(
    story: Story, artifacts: PostgresArtifacts
) -> None:
    other = story.ticket.model_copy(update={"route": "f" * 32})
    first = await artifacts.put(story.ticket, ArtifactKind.DRAFT, b"yes")

    assert await artifacts.put(story.ticket, ArtifactKind.DRAFT, b"yes") == first
    assert await artifacts.put(other, ArtifactKind.DRAFT, b"yes") != first
    assert (await artifacts.put(story.ticket, ArtifactKind.CARD, b"yes"))[-64:] != first[-64:]


async def test_an_artifact_of_another_ticket_is_not_there(story: Story, artifacts: PostgresArtifacts) -> None:
    ref = await artifacts.put(story.ticket, ArtifactKind.DRAFT, b"yes")

    with pytest.raises(ArtifactExpired):
        await artifacts.get(story.ticket.model_copy(update={"route": "e" * 32}), ref)


async def test_an_artifact_ends_with_its_life(story: Story) -> None:
    clock = Clock()
    artifacts = PostgresArtifacts(story.databases.app, story.keys, clock)
    ref = await artifacts.put(story.ticket, ArtifactKind.RAW, b"text", timedelta(hours=1))

    clock.time += timedelta(minutes=59)
    assert await artifacts.get(story.ticket, ref) == b"text"
    clock.time += timedelta(minutes=1)
    with pytest.raises(ArtifactExpired):
        await artifacts.get(story.ticket, ref)
    assert await artifacts.drop_expired(story.ticket.tenant_id) == 1
    assert await artifacts.drop_expired(story.ticket.tenant_id) == 0


async def test_put_again_an_artifact_lives_again(story: Story) -> None:
    clock = Clock()
    artifacts = PostgresArtifacts(story.databases.app, story.keys, clock)
    ref = await artifacts.put(story.ticket, ArtifactKind.RAW, b"text", timedelta(hours=1))
    clock.time += timedelta(hours=2)
    await artifacts.drop_expired(story.ticket.tenant_id)

    await artifacts.put(story.ticket, ArtifactKind.RAW, b"text", timedelta(hours=1))

    assert await artifacts.get(story.ticket, ref) == b"text"


async def test_the_longer_life_wins(story: Story) -> None:
    clock = Clock()
    artifacts = PostgresArtifacts(story.databases.app, story.keys, clock)
    ref = await artifacts.put(story.ticket, ArtifactKind.RAW, b"text")
    await artifacts.put(story.ticket, ArtifactKind.RAW, b"text", timedelta(hours=1))

    clock.time += timedelta(days=400)
    elsewhere = PostgresArtifacts(story.databases.app, story.keys, clock)

    assert await artifacts.get(story.ticket, ref) == b"text"
    assert await elsewhere.get(story.ticket, ref) == b"text"


async def test_a_vault_keeps_the_first_value(story: Story, vault: PostgresVault) -> None:
    await vault.keep(story.ticket, {"[[EMAIL_1_ab]]": PLANTED, "order_1": "A-1"})
    await vault.keep(story.ticket, {"[[EMAIL_1_ab]]": "other", "order_2": "A-2"})
    await vault.keep(story.ticket, {})

    assert await vault.values(story.ticket) == {
        "[[EMAIL_1_ab]]": PLANTED,
        "order_1": "A-1",
        "order_2": "A-2",
    }


async def test_after_erasure_everything_of_the_ticket_is_a_tombstone(
    story: Story, artifacts: PostgresArtifacts, vault: PostgresVault
) -> None:
    ref = await artifacts.put(story.ticket, ArtifactKind.RAW, b"text")
    await vault.keep(story.ticket, {"[[EMAIL_1_ab]]": PLANTED})

    await story.keys.destroy_ticket_key(story.ticket.tenant_id, story.ticket.ticket_id)

    with pytest.raises(KeyDestroyed):
        await artifacts.get(story.ticket, ref)
    with pytest.raises(KeyDestroyed):
        await vault.values(story.ticket)
    with pytest.raises(KeyDestroyed):
        await artifacts.put(story.ticket, ArtifactKind.RAW, b"text")


async def test_nothing_planted_is_on_the_disk(
    story: Story, artifacts: PostgresArtifacts, vault: PostgresVault, postgres: PostgresServer
) -> None:
    await artifacts.put(story.ticket, ArtifactKind.RAW, f"I am {PLANTED}".encode())
    await vault.keep(story.ticket, {"[[EMAIL_1_ab]]": PLANTED})
    await story.tickets.open(story.ticket, f"ticket of {PLANTED}", "generic")
    async with await psycopg.AsyncConnection.connect(
        postgres.admin_url, dbname="countersign", autocommit=True
    ) as admin:
        await admin.execute("checkpoint")

    files = [path.read_bytes() for path in postgres.data.rglob("*") if path.is_file()]

    assert any(str(story.ticket.route).encode() in content for content in files)  # the sweep can see
    for spelled in (PLANTED.encode(), PLANTED.encode().hex().encode(), PLANTED.encode("utf-16-le")):
        assert not any(spelled in content for content in files)
