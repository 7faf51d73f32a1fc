"""A policy decision in plain sentences: what was asked, what each rule found, what it took, what came of it.

Ids, codes and numbers only. Nothing of what a customer wrote is in a decision, so nothing of it is here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.policy.effective import Effective
from adapters.policy.plain import Finding, PlainEngine
from adapters.policy.reading import at
from adapters.policy.reading import money as read_money
from adapters.policy.words import sentence
from adapters.postgres.decision_records import DecisionRecord, DecisionStory
from adapters.postgres.publications import PublishedFile
from api import words
from api.input_words import money, told_input
from api.words import listed, said
from cli.policy_followed import followed, when
from cli.policy_otherwise import what_would_change
from domain.decision import Obligations, Reason, Verdict
from domain.fact import Money

FINDINGS = {
    Verdict.ALLOW: "allows it",
    Verdict.SANITIZE: "wants personal data taken out",
    Verdict.APPROVAL_NEEDED: "wants a person's approval",
    Verdict.DENY: "refuses it",
}
UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True)
class Known:
    """Everything an explanation is made from. `policy` is None where that version is not kept."""

    tenant: str
    ticket: str
    story: DecisionStory
    policy: Effective | None
    again: Sequence[DecisionRecord] = ()  # the same proposal, decided at other times
    published: Mapping[str, PublishedFile] = field(default_factory=dict)  # by level, where it is known

    @property
    def decision(self) -> DecisionRecord:
        """The one that is explained."""
        return self.story.decisions[0]


def explained(known: Known) -> Iterator[str]:
    """Lines; a heading has no indent, a blank line stands before each."""
    made = known.decision
    yield f"Decision {made.id}"
    yield f"  {when(made.decided_at)}: policy {said(words.VERDICTS, made.verdict)}."
    sections = (
        ("What was proposed", _proposed(known)),
        ("Which policy answered", _version(known)),
        ("What each rule found", _found(known)),
        ("What the answer takes", _takes(made)),
        ("What came of it", followed(known.story, known.again)),
        ("What would have changed the answer", _otherwise(known)),
    )
    for heading, lines in sections:
        yield ""
        yield heading
        yield from (f"  {line}" for line in lines)


def span(seconds: int) -> str:
    """`24 hours` for a day: the shortest number of whole units, and days only from two on."""
    size, name = next(
        (size, name) for size, name in UNITS if seconds % size == 0 and (seconds > size or size == 1)
    )
    count = seconds // size
    return f"{count} {name}{'' if count == 1 else 's'}"


def _proposed(known: Known) -> Iterator[str]:
    made = known.decision
    action = made.input.get("action")
    amount = money(action.get("amount")) if isinstance(action, dict) else None
    what = said(words.ACTIONS, made.action_type) + (f" of {amount}" if amount else "")
    yield f"A {what}, for ticket {known.tenant}/{known.ticket}, in turn {made.turn}."
    for section in told_input(made.input):
        shown = [f"{row.label}: {row.value}" for row in section.rows if not row.is_code]
        if shown:
            yield f"{section.title}. {'; '.join(shown)}."
    yield f"The input is kept whole under {made.input_digest}."


def _version(known: Known) -> Iterator[str]:
    yield f"Version {known.decision.policy_version}."
    if known.policy is None:
        yield "This version is not kept as a policy, so only what was recorded can be told."
        return
    for level, written in known.policy.sources.items():
        name = written.get("name") if isinstance(written, dict) else None
        yield f"The {level}'s policy {name!r} is in it{_published(known.published.get(level))}."


def _published(file: PublishedFile | None) -> str:
    if file is None:
        return ""
    author = file.author or "whoever operates this installation"
    read = f", read by {', '.join(file.reviewers)}" if file.reviewers else ""
    return f", published {when(file.published_at)} by {author}{read}"


def _found(known: Known) -> Iterator[str]:
    made = known.decision
    if known.policy is not None and _same(made, known.policy):
        findings = PlainEngine(known.policy).findings(made.input)
        decided = {(reason.rule, reason.code) for reason in made.reasons}
        for finding in dict.fromkeys(findings):
            yield _finding(known.policy, made, finding, decisive=(finding.rule, finding.code) in decided)
        return
    if known.policy is not None:
        yield "This release of Countersign would find something else. At the time it was:"
    for number, reason in enumerate(made.reasons):
        message = made.messages[number] if number < len(made.messages) else words.words(reason.code)
        yield f"Rule {reason.rule} decided: {message}."


def _same(made: DecisionRecord, policy: Effective) -> bool:
    """Whether this release finds what was found then."""
    found = PlainEngine(policy).decide_document(_document(made))
    return found.verdict.value == made.verdict and set(found.reasons) == set(made.reasons)


def _document(made: DecisionRecord) -> str:
    return made.model_dump_json(include={"input"}).removeprefix('{"input":').removesuffix("}")


def _finding(policy: Effective, made: DecisionRecord, finding: Finding, *, decisive: bool) -> str:
    message = sentence(Reason(rule=finding.rule, code=finding.code), policy.document, made.input)
    numbers = _numbers(policy, made, finding.rule)
    weight = "and decided" if decisive else "and did not decide"
    return f"Rule {finding.rule} {FINDINGS[finding.verdict]} {weight}: {message}{numbers}."


def _numbers(policy: Effective, made: DecisionRecord, rule: str) -> str:
    described = _description(policy, rule)
    return _limits(policy, made, rule) + (f". Its author says: {described.rstrip('.')}" if described else "")


def _limits(policy: Effective, made: DecisionRecord, rule: str) -> str:
    """The amount beside the rule's own limits in its currency; empty for a rule without a threshold."""
    check = next(
        (each["threshold"] for each in _rules(policy) if each["id"] == rule and "threshold" in each), None
    )
    amount = read_money(at(made.input, *check["path"])) if check else None
    if check is None or amount is None:
        return ""
    units, currency = amount
    limits = [check[name].get(currency) for name in ("allow_up_to", "approval_up_to")]
    if None in limits:
        return f" (the amount is {Money(minor_units=units, currency=currency)})"
    shown, alone, approved = (Money(minor_units=each, currency=currency) for each in (units, *limits))
    window = check.get("window", "")
    return (
        f" (the amount is {shown}; by itself up to {alone}{window}, with approval up to {approved}{window})"
    )


def _rules(policy: Effective) -> Sequence[Any]:
    rules: Any = policy.document["rules"]
    return rules  # type: ignore[no-any-return]  # compiled by us


def _description(policy: Effective, rule: str) -> str:
    for level, written in policy.sources.items():
        rules = written.get("rules") if isinstance(written, dict) else None
        for each in rules if isinstance(rules, list) else ():
            if isinstance(each, dict) and rule in {each.get("id"), f"{level}.{each.get('id')}"}:
                return str(each.get("description", ""))
    return ""


def _takes(made: DecisionRecord) -> Iterator[str]:
    wanted = made.obligations
    if made.verdict == Verdict.DENY:
        yield "Nothing: a refused action is not done, and nobody is asked."
        return
    if made.verdict == Verdict.APPROVAL_NEEDED and wanted is not None:
        yield from _approval(wanted)
    elif wanted is None or not wanted.redact_fields:
        yield "Nothing: it may go out by itself."
    if wanted is not None and wanted.redact_fields:
        yield f"These are taken out before it leaves: {', '.join(map(words.words, wanted.redact_fields))}."


def _approval(wanted: Obligations) -> Iterator[str]:
    people = "one person" if wanted.quorum == 1 else f"{wanted.quorum} people"
    yield f"A yes from {people} in group {listed(wanted.approver_groups)}."
    if wanted.forbid_self:
        yield "Nobody may approve what they proposed themselves."
    for rung in wanted.ladder or ():
        yield f"After {span(rung.after_s)} without an answer, {listed(rung.approver_groups)} may answer too."
    if wanted.remind_every_s is not None:
        yield f"They are reminded every {span(wanted.remind_every_s)}."
    silence = said(words.TIMEOUTS, wanted.on_timeout)
    yield f"The question is open for {span(wanted.expires_in_s)}. Without an answer, {silence}."


def _otherwise(known: Known) -> Iterator[str]:
    if known.policy is None or not _same(known.decision, known.policy):
        yield "Not known: it cannot be decided again as it was."
        return
    yield from what_would_change(known.policy, known.decision.input)
