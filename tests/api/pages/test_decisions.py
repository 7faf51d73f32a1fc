"""A decision in plain words: everything that compliance asks, without a query language."""

from domain.approval import VoteRefusal
from domain.decision import Verdict
from tests.api.pages.conftest import Office


async def test_decision_is_told_with_its_approval_and_what_followed(office: Office) -> None:
    story = await office.story()
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.asked(decision)
    await story.voted(request, office.teammate.id)
    stranger = "principal_" + "0" * 24
    await story.approvals.record_refusal(
        office.tenant_id, request.approval_id, stranger, VoteRefusal.NOT_ELIGIBLE
    )
    intent = await story.intended(decision, approval=request.approval_id)
    async with office.logged_in() as browser:
        page = (await browser.get(f"/decisions/{decision.decision_id}")).text
        listed = (await browser.get(f"/tickets/{story.ticket.ticket_id}")).text
        document = (await browser.get(f"/decisions/{decision.decision_id}.json")).json()

    for words in (
        "Refund: policy asked for a person&#39;s approval",
        "Within the limit",
        "Rule “refund limits”, within limit",
        "Needs a yes from one person of approvers.",
        "Waits 1 day; without an answer the ticket is handed to a teammate.",
        "1 of approvers",
        "<strong>You</strong> said yes",
        "Somebody who is not registered</strong>",
        "not in a group that may answer",
        "Not sent yet",
        "The requester has an account",
        "<td>No</td>",
        decision.policy_version,
        decision.input_digest,
        "Ticket 1003",
    ):
        assert words in page, words
    assert decision.decision_id in listed
    assert "Waiting for an answer" in listed
    assert document["decisions"][0]["input"]["action"]["digest"] == decision.action_digest
    assert document["effects"][0]["id"] == intent.key


async def test_every_part_of_the_input_is_in_the_table(office: Office) -> None:
    story = await office.story()
    decision = await story.decided()
    async with office.logged_in() as browser:
        page = (await browser.get(f"/decisions/{decision.decision_id}")).text
        document = (await browser.get(f"/api/decisions/{decision.decision_id}")).json()

    leaves = list(_leaves(document["decisions"][0]["input"]))
    assert page.count("</th><td") == len(leaves) + 5  # the digests at the end are five rows
    assert "Nobody was asked" in page


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict) and set(value) != {"minor_units", "currency"}:
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    return [value]
