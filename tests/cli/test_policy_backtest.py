"""`countersign policy backtest` on decisions that were really recorded."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert

from adapters.keys import EnvelopeKeys
from adapters.policy.bundle import digest
from adapters.postgres.policy_register import Place, move_pointer
from adapters.postgres.tables import policy_versions
from adapters.postgres.tenant_list import ListedTenant
from adapters.postgres.tenant_registry import TenantRegistry
from cli.__main__ import run
from cli.connected import Connected
from tests.adapters.policy_inputs import refund, reply
from tests.adapters.postgres.story import Story
from tests.cli.conftest import Shown
from tests.cli.decided import Document, a_story, decided, policy_of
from tests.cli.filled import POLICY, document, written
from tests.conftest import Databases
from tests.docs.shown import shown_in, without_what_changes

PAGE = Path(__file__).parents[2] / "docs" / "policy" / "trying_changes.md"
Keys = tuple[Databases, TenantRegistry, EnvelopeKeys]

LOWER = POLICY.replace('"50.00"', '"30.00"')
MARKED = LOWER.replace("  - id: refunds_by_amount\n", "  - id: refunds_by_amount\n    must_hold: true\n")
TWO_PEOPLE = POLICY.replace("quorum: 1", "quorum: 2")
OFFICE_HOURS = POLICY.replace(
    "    threshold:", "    hours: {zone: Europe/Berlin, open: {weekdays: ['09:00-17:00']}}\n    threshold:"
)


@pytest.fixture
def stores(databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys) -> Keys:
    return databases, registry, keys


@pytest.fixture
async def week(stores: Keys, tenant: str) -> list[Story]:
    """Refunds of 20.00, 45.00, 120.00 and 600.00 EUR and a reply, each of a ticket of its own."""
    return [
        await a_ticket(stores, tenant, number, asked)
        for number, asked in enumerate([*map(refund, (2000, 4500, 12000, 60000)), reply("public")], 1001)
    ]


async def a_ticket(stores: Keys, tenant: str, number: int, asked: Document) -> Story:
    story = await a_story(*stores, tenant)
    await story.tickets.open(story.ticket, str(number), "generic")
    await decided(story, await policy_of(story), asked)
    return story


def tried(folder: Path, text: str, *options: str, tenant: str | None) -> int:
    file = folder / "candidate.yaml"
    file.write_text(text)
    named = ["--tenant", tenant] if tenant else []
    return run(["policy", "backtest", "--candidate", str(file), *named, *options])


@pytest.mark.usefixtures("week")
def test_page_shows_what_a_lower_limit_would_have_done(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    assert tried(tmp_path, MARKED, tenant=tenant) == 3

    told = capsys.readouterr().out.replace(tenant, "harbour_books")
    assert without_what_changes(told) == without_what_changes(shown_in(PAGE, "candidate.yaml on"))


@pytest.mark.usefixtures("week")
def test_policy_in_force_flips_nothing(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    assert tried(tmp_path, POLICY, tenant=tenant) == 0

    shown = capsys.readouterr()
    assert "5 of 5 decisions can be decided again." in shown.out
    assert "What would be different\n  Nothing." in shown.out
    assert "Deciding again" in shown.err


@pytest.mark.usefixtures("week")
def test_flip_of_a_rule_that_is_not_marked_is_no_failure(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    assert tried(tmp_path, LOWER, "--format", "json", tenant=tenant) == 0

    report = json.loads(capsys.readouterr().out)
    [flip] = report["flips"]
    assert (flip["ticket"], flip["before"], flip["after"]) == ("1002", "allow", "approval_needed")
    assert flip["rules"] == ["refunds_by_amount"]
    [moved] = report["money"]
    assert (moved["minor_units"], moved["currency"], moved["proposals"]) == (4500, "EUR", 1)
    assert (report["work_before"]["questions"], report["work_after"]["questions"]) == (1, 2)


@pytest.mark.usefixtures("week")
def test_other_terms_of_an_approval_are_a_flip(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    assert tried(tmp_path, TWO_PEOPLE, tenant=tenant) == 0

    told = capsys.readouterr().out
    assert "refunds_by_amount: 1 decision. Each waits for a person as before, on other terms." in told
    assert "1 question instead of 1 (+0), 2 yeses instead of 1 (+1)." in told


@pytest.mark.usefixtures("week")
def test_what_inputs_lack_is_unknown_and_never_a_flip(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    assert tried(tmp_path, OFFICE_HOURS, tenant=tenant) == 0

    told = capsys.readouterr().out
    # The refund of 600.00 EUR is refused whatever the hour.
    assert "2 of 5 decisions can be decided again." in told
    assert "3 are unknown from here and count as nothing" in told
    assert "at is not known in 3." in told
    assert "What would be different\n  Nothing." in told


@pytest.fixture
async def decided_twice(week: list[Story]) -> None:
    """The refund of 45.00 EUR once more, from an input that is different."""
    await decided(week[1], await policy_of(week[1]), refund(4500), turn=1)


@pytest.mark.usefixtures("decided_twice")
def test_proposal_that_is_decided_twice_counts_once(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    assert tried(tmp_path, LOWER, "--format", "json", tenant=tenant) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["tenants"][0]["flips"] == 2
    assert report["money"][0]["minor_units"] == 4500
    assert report["work_after"]["questions"] == 2


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("options", "found", "rules"),
    [
        # Stricter than the tenant's own file, which stays.
        (("--level", "organisation"), (5, 1), ["organisation.refunds_by_amount"]),
        (("--level", "agent"), (5, 1), ["agent.refunds_by_amount"]),
        (("--level", "agent", "--agent", "billing_agent"), (0, 0), []),
    ],
)
def test_file_of_another_level_is_tried_beside_the_tenants(
    *,
    tenant: str,
    tmp_path: Path,
    options: tuple[str, ...],
    found: tuple[int, int],
    rules: list[str],
    capsys: Shown,
) -> None:
    assert tried(tmp_path, LOWER, *options, "--format", "json", tenant=tenant) == 0

    report = json.loads(capsys.readouterr().out)
    assert (report["tenants"][0]["read"], report["tenants"][0]["flips"]) == found
    assert [each["rule"] for each in report["by_rule"] if each["rule"] != "refunds_by_amount"] == rules


@pytest.mark.usefixtures("week")
def test_since_leaves_out_what_is_older(tenant: str, tmp_path: Path, capsys: Shown) -> None:
    assert tried(tmp_path, LOWER, "--since", "0s", tenant=tenant) == 0

    assert "0 of 0 decisions can be decided again." in capsys.readouterr().out


@pytest.mark.usefixtures("week")
def test_every_tenant_is_tried(
    tenant: str, tmp_path: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = f"lamps_{uuid4().hex[:12]}"
    everybody = Connected.all_tenants

    async def ours(system: Connected) -> list[ListedTenant]:
        """Other tests leave tenants with whatever they were about."""
        return [each for each in await everybody(system) if each.name in {tenant, stranger}]

    monkeypatch.setattr(Connected, "all_tenants", ours)
    assert run(["tenant", "add", stranger, "--file", str(written(tmp_path, document()))]) == 0
    capsys.readouterr()

    assert tried(tmp_path, LOWER, "--format", "json", tenant=None) == 0

    tenants = {each["tenant"]: each for each in json.loads(capsys.readouterr().out)["tenants"]}
    assert (tenants[tenant]["read"], tenants[tenant]["flips"]) == (5, 1)
    assert (tenants[stranger]["read"], tenants[stranger]["flips"]) == (0, 0)


@pytest.fixture
async def unreadable(stores: Keys, tenant: str) -> None:
    """What is in force cannot be read by this release."""
    story = await a_story(*stores, tenant)
    content = '{"bundle":{"schema_version":9}}'
    version, tenant_id = digest(content.encode()), story.ticket.tenant_id
    row = insert(policy_versions).values(tenant_id=tenant_id, id=version, content=content, level="tenant")
    async with story.databases.owner.transaction(tenant_id) as session:
        await session.execute(row)
    async with story.databases.owner.transaction(tenant_id) as session:
        await move_pointer(session, Place(tenant_id), "active", version)


@pytest.mark.usefixtures("week", "unreadable")
def test_tenant_that_the_candidate_does_not_fit_is_named_and_ends_with_a_failure(
    tenant: str, tmp_path: Path, capsys: Shown
) -> None:
    assert tried(tmp_path, LOWER, "--level", "organisation", tenant=tenant) == 1

    assert f"{tenant} is not compared. The policy bundle was refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--since", "yesterday"), "is no age"),
        (("--since", "999999d"), "before there were decisions"),
        (("--tenant", "nobody"), "No tenant is called 'nobody'"),
        (("--level", "team"), "is not one of"),
    ],
)
@pytest.mark.usefixtures("tenant")
def test_bad_words_are_a_sentence(
    tmp_path: Path, options: tuple[str, ...], sentence: str, capsys: Shown
) -> None:
    assert tried(tmp_path, POLICY, *options, tenant=None) != 0

    shown = capsys.readouterr()
    assert sentence in shown.err
    assert "Traceback" not in shown.err


def test_file_that_is_no_policy_is_named(tmp_path: Path, capsys: Shown) -> None:
    assert tried(tmp_path, "rules: [", tenant=None) == 1

    assert "candidate.yaml" in capsys.readouterr().err
