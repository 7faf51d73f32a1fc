"""Answers of policy engines, and what each reason code means for people."""

from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from domain.decision import EngineAnswer, Obligations, Reason, Verdict

Json = Mapping[str, JsonValue]

MESSAGES = {
    "action_allowed": "Policy allows this action",
    "action_denied": "Policy denies this action",
    "action_needs_approval": "Policy wants a person to approve this action",
    "action_not_covered": "Policy does not know this action",
    "amount_missing": "The refund has no amount in minor units",
    "amount_not_positive": "The refund's amount is not above zero",
    "amount_over_refundable": "The refund is more than what is left of the payment",
    "channel_missing": "It is not known who will see this action",
    "currency_differs": "The refund is in another currency than the order",
    "currency_not_covered": "Policy has no limits for this currency",
    "engine_failed": "The policy engine failed, so the answer is no",
    "identity_in_doubt": "It is not certain that the requester is who they say",
    "injection_suspected": "The ticket may try to instruct the automation",
    "mode_is_assist": "In assist mode a person approves every reply and refund",
    "mode_missing": "The tenant's mode is not known",
    "no_policy": "The tenant has no policy",
    "no_rule_applies": "No rule speaks about this action",
    "order_missing": "The order is not known",
    "order_not_delivered": "The order is not delivered",
    "order_not_owned": "The order is not the requester's",
    "owner_is_teammate": "A teammate owns the ticket",
    "owner_missing": "It is not known who owns the ticket",
    "permission_needs_approval": "The agent may do this only with approval",
    "permission_too_low": "The agent may not do this",
    "refund_needs_approval": "Refunds above {allow_up_to} need a person's approval",
    "refund_over_limit": "Refunds above {approval_up_to} are not made here",
    "refund_within_limit": "Refunds up to {allow_up_to} are made automatically",
    "requester_unknown": "The requester has no account in the shop",
    "schema_unknown": "The input has a version this policy does not know",
    "signals_missing": "The ticket's risk signals are not known",
    "zone_denied": "Policy forbids answers from this knowledge",
    "zone_needs_approval": "Answers from this knowledge need a person's approval",
    "zone_not_covered": "Policy does not know this knowledge zone",
    "zones_missing": "It is not known which knowledge the answer rests on",
    "zones_open": "The answer rests on public knowledge",
}


def answer(verdict: Verdict, reasons: Iterable[Reason], bundle: Json) -> EngineAnswer:
    """The answer with its reasons in one order, their sentences, and what an approval takes."""
    ordered = tuple(sorted(set(reasons), key=lambda reason: (reason.code, reason.rule)))
    return EngineAnswer(
        verdict=verdict,
        reasons=ordered,
        messages=_messages(ordered, bundle),
        obligations=_obligations(bundle) if verdict is Verdict.APPROVAL_NEEDED else None,
    )


def denial(rule: str, code: str) -> EngineAnswer:
    """No, because something is missing or broken."""
    return answer(Verdict.DENY, (Reason(rule=rule, code=code),), {})


def as_amount(minor_units: JsonValue) -> str:
    """5000 as people write it: 50.00."""
    return f"{minor_units // 100}.{minor_units % 100:02d}" if isinstance(minor_units, int) else ""


def _obligations(bundle: Json) -> Obligations:
    return Obligations.model_validate(bundle["approval"], strict=False)


def _messages(reasons: Iterable[Reason], bundle: Json) -> tuple[str, ...]:
    refund = bundle.get("refund")
    limits = {name: as_amount(value) for name, value in refund.items()} if isinstance(refund, dict) else {}
    return tuple(MESSAGES[reason.code].format_map(limits) for reason in reasons)
