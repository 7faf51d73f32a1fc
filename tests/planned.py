"""An effect whose plan was decided a moment ago, in an office of fakes."""

from typing import Any

from activities.policy import decision_about
from activities.policy_input import DecideInput, Surroundings, document
from adapters.in_memory.minds import version_of
from domain.action import ProposedAction, Refund
from domain.decision import EngineAnswer, Obligations, PolicyDecision, Reason, Verdict
from domain.effect import EffectIntent, key_of
from domain.fact import Facts, Money, OrderFact, OrderStatus
from domain.model import ApprovalId, Digest
from domain.ticket import Mode, Owner
from tests.office import NOW, TICKET, Office

MESSAGE = "msg_" + "0" * 32
ORDER, PAYMENT = "order_" + "0" * 24, "payment_" + "0" * 24
CUSTOMER = "customer_" + "c" * 24
DIGEST = "sha256:" + "0" * 64


def a_refund(minor_units: int = 3000, order: str = ORDER) -> ProposedAction:
    amount = Money(minor_units=minor_units, currency="EUR")
    return ProposedAction(
        ordinal=0, action=Refund(order=order, payment=PAYMENT, amount=amount, playbook="any")
    )


def facts(*, owned: bool = True, known: bool = True, customer: str | None = CUSTOMER) -> Facts:
    plenty = Money(minor_units=90_00, currency="EUR")
    order = OrderFact(
        id=ORDER,
        payment_id=None,
        status=OrderStatus.DELIVERED,
        total=plenty,
        refundable=plenty,
        owner_is_requester=owned,
        mentioned=True,
        ordered_at=NOW,
        delivered_at=NOW,
    )
    return Facts(
        requester_known=known,
        orders=(order,),
        as_of=NOW,
        orders_mentioned=1,
        customer=customer,
        input_digest=DIGEST,
    )


def plan(*actions: ProposedAction, **known: Any) -> DecideInput:
    given = {"facts": facts(), "owner": Owner.AUTOMATION} | known
    return DecideInput(ticket=TICKET, turn=1, mode=Mode.AUTOMATE, actions=actions, **given)


def decided(
    office: Office,
    proposed: ProposedAction,
    verdict: Verdict = Verdict.ALLOW,
    *,
    obligations: Obligations | None = None,
    version: Digest | None = None,
) -> PolicyDecision:
    """What policy said of the plan."""
    asked = document(plan(proposed), proposed, Surroundings(office.now, None, {}))
    answer = EngineAnswer(
        verdict=verdict, reasons=(Reason(rule="any", code="said"),), obligations=obligations
    )
    decision = decision_about(proposed, asked, answer, version or version_of("bundle"))
    office.decisions.made[decision.decision_id] = (decision, asked, answer)
    return decision


def planned(
    office: Office,
    proposed: ProposedAction,
    decision: PolicyDecision | None = None,
    approval: ApprovalId | None = None,
) -> EffectIntent:
    """The effect that it becomes; allowed, unless it is said otherwise."""
    made = decision or decided(office, proposed)
    return EffectIntent(
        key=key_of(TICKET.ticket_id, MESSAGE, proposed),
        ticket=TICKET,
        proposed=proposed,
        decision_id=made.decision_id,
        approval_id=approval,
        owner_epoch=0,
        turn=1,
        customer=CUSTOMER,
    )
