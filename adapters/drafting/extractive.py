"""Drafts by quoting: the article that covers what the customer asks, or nothing.

No model and no key. Nothing a customer wrote is repeated, and what an article says can only be quoted,
so neither can add an action, a recipient or a sentence of their own.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log as logarithm

from adapters.drafting.excerpts import excerpt
from adapters.drafting.terms import STOP_WORDS, asking, terms
from domain.conversation import Conversation
from domain.draft import DraftedText
from domain.knowledge import KnowledgeZone, Passage
from domain.placeholder import PLACEHOLDER
from domain.ports import TenantConfiguration

INTRODUCTION = "Thank you for your message. Our article “{title}” says:"
SECOND = "Our article “{title}” may help as well:"
CLOSING = "If this does not answer your question, please reply to this message and a colleague will help you."

# An article that covers less than half of the question’s weight is about something else.
COVERAGE = 0.5
# Words that only the text has count less than those in the title, which says what an article is about.
IN_TEXT = 0.85
TERMS_MET = 2
QUESTIONS = 8  # of one message; a longer one is no question
ANSWERS = 2
# A second article is only worth reading where it is surer than the first has to be.
SECOND_COVERAGE = 0.65

# Everything that shapes an answer, so that a change of any of it is seen.
PROMPT = (
    "sha256:"
    + hashlib.sha256(
        repr((INTRODUCTION, SECOND, CLOSING, COVERAGE, IN_TEXT, SECOND_COVERAGE, sorted(STOP_WORDS))).encode()
    ).hexdigest()
)


@dataclass(frozen=True)
class Answer:
    """A passage that answers one question of the customer."""

    passage: Passage
    coverage: float
    weights: Mapping[str, float]


class ExtractiveDrafter:
    """The `Drafter` port by quoting one or two passages. Deterministic, so repeating is safe."""

    version = "extractive-1"
    prompt = PROMPT

    async def draft(
        self, conversation: Conversation, passages: Sequence[Passage], tenant: TenantConfiguration
    ) -> DraftedText | None:
        """None where no passage covers the latest customer message. Has no greeting and no signature."""
        del tenant
        answers = answers_of(conversation, passages)
        if not answers:
            return None
        return DraftedText(
            body=_body(answers),
            citations=tuple(answer.passage.citation for answer in answers),
            confidence_permille=round(1000 * min(answer.coverage for answer in answers)),
        )


def answers_of(conversation: Conversation, passages: Sequence[Passage]) -> list[Answer]:
    """The best passage, and a second one where another question is answered by another article."""
    message = conversation.latest_from_customer
    # A placeholder in an article would be filled with this customer's data.
    usable = [p for p in passages if not PLACEHOLDER.search(p.title + p.body)]
    if message is None or not usable:
        return []
    questions = [*asking(message.body)[:QUESTIONS], conversation.subject]
    found = [answer for question in questions if (answer := best_answer(question, usable))]
    found.sort(key=lambda answer: -answer.coverage)
    by_article: dict[str, Answer] = {}
    for answer in found:
        by_article.setdefault(answer.passage.title, answer)
    best = list(by_article.values())
    return best[:1] + [answer for answer in best[1:ANSWERS] if answer.coverage >= SECOND_COVERAGE]


def best_answer(question: str, passages: Sequence[Passage]) -> Answer | None:
    """The passage with most of the question's weight; public ones first, then the search's order."""
    weights = weights_of(question, passages)
    enough = [
        Answer(passage, coverage, weights)
        for passage in passages
        if (coverage := coverage_of(weights, passage)) >= COVERAGE
    ]
    return max(enough, key=_preference, default=None)


def weights_of(question: str, passages: Sequence[Passage]) -> dict[str, float]:
    """Rare terms weigh more; a term that no passage has weighs as much as the rarest."""
    seen = Counter(term for passage in passages for term in {*terms(passage.title), *terms(passage.body)})
    return {term: logarithm(1 + (len(passages) + 1) / (max(seen[term], 1) + 0.5)) for term in terms(question)}


def coverage_of(weights: Mapping[str, float], passage: Passage) -> float:
    """The share of the question's weight that the passage has; 0 where too little is asked or shared."""
    named = set(terms(passage.title))
    title = named & weights.keys()
    text = (set(terms(passage.body)) & weights.keys()) - title
    enough = len(title | text) >= TERMS_MET if len(weights) > 1 else _is_named(title, named)
    if not enough:
        return 0.0
    met = sum(weights[term] for term in title) + IN_TEXT * sum(weights[term] for term in text)
    return met / sum(weights.values())


def _is_named(asked: set[str], named: set[str]) -> bool:
    """A question of one word is one only for the article that is called so."""
    return bool(asked) and len(named) <= TERMS_MET


def _preference(answer: Answer) -> tuple[bool, float]:
    return answer.passage.citation.zone is KnowledgeZone.PUBLIC, answer.coverage


def _body(answers: Sequence[Answer]) -> str:
    parts = []
    for template, answer in zip((INTRODUCTION, SECOND), answers, strict=False):
        parts.append(template.replace("{title}", answer.passage.title.strip()))
        parts.append(excerpt(answer.passage.body, answer.weights))
    return "\n\n".join((*parts, CLOSING))
