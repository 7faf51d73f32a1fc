"""`countersign policy explain`, read as compliance reads it."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.keys import EnvelopeKeys
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.policy.tables import pack
from adapters.postgres.policy_register import Place, PolicyRegister, Publication, move_pointer
from adapters.postgres.tenant_registry import TenantRegistry
from cli.__main__ import run
from cli.policy_explained import span
from domain.decision import PolicyDecision
from tests.adapters.policy_inputs import other, reply
from tests.adapters.postgres.story import Story
from tests.cli.conftest import Shown
from tests.cli.decided import Document, a_large_refund, a_story, approved_and_paid, decided, policy_of
from tests.cli.filled import POLICY, document, written
from tests.conftest import Databases
from tests.docs.shown import shown_in, without_what_changes

PAGE = Path(__file__).parents[2] / "docs" / "policy" / "explained.md"


@pytest.fixture
async def story(databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys, tenant: str) -> Story:
    return await a_story(databases, registry, keys, tenant)


@pytest.fixture
async def paid(story: Story) -> PolicyDecision:
    decision = await decided(story, await policy_of(story), a_large_refund())
    await approved_and_paid(story, decision)
    return decision


@pytest.fixture
async def refused(story: Story) -> PolicyDecision:
    return await decided(story, await policy_of(story), a_large_refund() | {"requester_known": False})


def explanation(decision: PolicyDecision, tenant: str, capsys: Shown) -> str:
    assert run(["policy", "explain", decision.decision_id, "--tenant", tenant]) == 0
    return capsys.readouterr().out


def test_page_shows_what_the_command_prints_of_a_stopped_refund(
    tenant: str, paid: PolicyDecision, capsys: Shown
) -> None:
    told = explanation(paid, tenant, capsys).replace(tenant, "harbour_books")

    assert without_what_changes(told) == without_what_changes(shown_in(PAGE, "Decision dec_"))


def test_decision_is_found_without_naming_its_tenant(
    tenant: str, paid: PolicyDecision, capsys: Shown
) -> None:
    assert run(["policy", "explain", paid.decision_id]) == 0

    assert f"for ticket {tenant}/1001" in capsys.readouterr().out


def test_refusal_names_the_fact_that_would_have_changed_it(
    tenant: str, refused: PolicyDecision, capsys: Shown
) -> None:
    told = explanation(refused, tenant, capsys)

    assert "Rule refunds_rest_on_facts refuses it and decided: The requester has no account" in told
    assert "Rule refunds_by_amount wants a person's approval and did not decide" in told
    assert "Nothing: a refused action is not done, and nobody is asked." in told
    assert "Nothing: nobody was asked and nothing was sent on this decision." in told
    assert "With 'The requester has an account' being Yes, a person is asked." in told


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (other("private_note"), "No other amount and no single other fact that was tried."),
        (reply("privileged"), "Rule replies_cite_open_zones refuses it and decided: Zone not covered."),
        (
            a_large_refund() | {"ticket": {"owner": "automation", "signals": ["injection"]}},
            "Rule nobody_talks_it_into_acting wants a person's approval and decided",
        ),
        (
            a_large_refund(4000) | {"ticket": {"owner": "automation", "signals": ["injection"]}},
            "Without the risk signal 'injection', it goes out by itself.",
        ),
        (a_large_refund(4000) | {"mode": "assist"}, "With 'Mode of the tenant' being Automate, it goes out"),
    ],
)
async def test_every_kind_of_answer_is_told(
    story: Story, asked: Document, sentence: str, capsys: Shown
) -> None:
    decision = await decided(story, await policy_of(story), asked)

    assert sentence in await told_in_thread(decision, capsys)


async def test_what_this_release_would_find_otherwise_is_told_as_it_was(story: Story, capsys: Shown) -> None:
    looser = alone(parse(pack("support_default").read_text().replace('"50.00"', '"200.00"')))
    named = (await policy_of(story)).version
    decision = await decided(story, looser, a_large_refund(), named=named)

    told = await told_in_thread(decision, capsys)

    assert "This release of Countersign would find something else. At the time it was:" in told
    assert "Rule refunds_by_amount decided: Up to 200.00 EUR this is done automatically." in told
    assert "Not known: it cannot be decided again as it was." in told


async def test_policy_that_is_not_kept_is_said(story: Story, capsys: Shown) -> None:
    unpublished = alone(parse(pack("support_default").read_text()))

    told = await told_in_thread(await decided(story, unpublished, a_large_refund()), capsys)

    assert "This version is not kept as a policy" in told
    assert "Rule refunds_by_amount decided: Above 50.00 EUR a person must approve." in told


async def test_author_and_readers_of_the_policy_are_named(story: Story, capsys: Shown) -> None:
    file, place = published(parse(POLICY.replace('"50.00"', '"40.00"'))), Place(story.ticket.tenant_id)
    author, reader = "principal_" + "a" * 24, "principal_" + "b" * 24
    register = PolicyRegister(story.databases.owner)
    await register.publish(place, file, Publication(author, (reader,)))
    async with story.databases.owner.transaction(place.tenant_id) as session:
        await move_pointer(session, place, "active", file.version)

    told = await told_in_thread(await decided(story, await policy_of(story), a_large_refund()), capsys)

    assert f"UTC by {author}, read by {reader}." in told


async def test_other_decisions_about_the_same_proposal_are_named(story: Story, capsys: Shown) -> None:
    policy = await policy_of(story)
    first = await decided(story, policy, a_large_refund())
    later = await decided(story, policy, a_large_refund() | {"mode": "assist"}, turn=1)

    assert f"the same proposal was decided too ({later.decision_id})" in await told_in_thread(first, capsys)


def test_other_tenants_decision_is_as_unknown_as_none(
    tenant: str, paid: PolicyDecision, tmp_path: Path, capsys: Shown
) -> None:
    stranger = f"lamps_{uuid4().hex[:12]}"
    assert run(["tenant", "add", stranger, "--file", str(written(tmp_path, document()))]) == 0
    capsys.readouterr()

    for named in (paid.decision_id, "dec_" + "0" * 40):
        assert run(["policy", "explain", named, "--tenant", stranger]) == 1
        shown = capsys.readouterr()
        assert shown.out == ""
        assert f"Tenant {stranger!r} has no decision {named}" in shown.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dec_12"], "'dec_12' is no decision. An id is dec_ and 40 characters"),
        (["dec_" + "0" * 40], "No tenant has decision"),
        (["dec_" + "0" * 40, "--tenant", "nobody"], "No tenant is called 'nobody'"),
    ],
)
def test_unknown_names_are_a_sentence(
    tenant: str, arguments: list[str], sentence: str, capsys: Shown
) -> None:
    assert run(["policy", "explain", *arguments]) == 1

    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 second"),
        (60, "60 seconds"),
        (90, "90 seconds"),
        (3600, "60 minutes"),
        (86400, "24 hours"),
        (172800, "2 days"),
    ],
)
def test_spans_are_said_in_whole_units(seconds: int, said: str) -> None:
    assert span(seconds) == said


async def told_in_thread(decision: PolicyDecision, capsys: Shown) -> str:
    """The command has an event loop of its own; it decides with the plain engine, which has no thread."""
    assert await asyncio.to_thread(run, ["policy", "explain", decision.decision_id]) == 0
    return capsys.readouterr().out
