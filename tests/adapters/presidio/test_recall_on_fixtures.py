"""A floor under recall on public rows; of these, order ids, zip codes and streets were tuned on.

Strict: a span counts as taken out only if none of its words of two letters or digits or more is left anywhere
in the redacted text. No known identities are given, so names rest on heuristics alone.
"""

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapters.presidio.normalise import normalise
from adapters.presidio.redaction import RedactionEngine
from domain.placeholder import PLACEHOLDER

# Measured when the set was chosen: 0.99 for all structured kinds together, 0.50 for names without a record.
# A miss under EMAIL_ADDRESS is the word `email` of the sentence around an address at email.com.
FLOORS = {
    "EMAIL_ADDRESS": 0.95,
    "CREDIT_CARD": 0.97,
    "PHONE_NUMBER": 0.94,
    "IBAN_CODE": 1.0,
    "US_SSN": 1.0,
    "IP_ADDRESS": 1.0,
    "DOMAIN_NAME": 0.85,
    "ORDER_ID": 0.85,
    "ZIP_CODE": 0.8,
    "STREET_ADDRESS": 0.25,
    "PERSON": 0.45,
}
STRUCTURED = (
    "EMAIL_ADDRESS",
    "CREDIT_CARD",
    "PHONE_NUMBER",
    "IBAN_CODE",
    "US_SSN",
    "IP_ADDRESS",
    "DOMAIN_NAME",
)
STRUCTURED_FLOOR = 0.97
TEXTS_OF_EVERY_DAY = (
    "support_tickets.jsonl",
    "support_tickets_ecommerce_cdla.jsonl",
    "injection_tickets.jsonl",
)


@pytest.fixture(scope="module")
def fixtures() -> Path:
    beside = Path(__file__).parents[4] / "shared" / "fixtures"
    folder = Path(os.environ.get("COUNTERSIGN_FIXTURES", beside))  # noqa: TID251 - only tests know fixtures
    if not (folder / "pii_tickets.jsonl").exists():
        pytest.skip("The public fixtures are not here: set COUNTERSIGN_FIXTURES to their folder")
    return folder


@pytest.fixture(scope="module")
def recall(fixtures: Path, redaction: RedactionEngine) -> dict[str, float]:
    taken, all_ = Counter[str](), Counter[str]()
    for row in _rows(fixtures / "pii_tickets.jsonl"):
        left = set(_words(PLACEHOLDER.sub(" ", redaction.redact_text(row["text"]))))
        for span in row["spans"]:
            all_[span["type"]] += 1
            taken[span["type"]] += left.isdisjoint(_words(normalise(span["text"])))
    rates = {kind: taken[kind] / all_[kind] for kind in all_}
    rates["structured"] = sum(taken[k] for k in STRUCTURED) / sum(all_[k] for k in STRUCTURED)
    return rates


@pytest.mark.parametrize("kind", FLOORS)
def test_recall_stays_above_its_floor(recall: dict[str, float], kind: str) -> None:
    assert recall[kind] >= FLOORS[kind]


def test_structured_recall_stays_above_its_floor(recall: dict[str, float]) -> None:
    assert recall["structured"] >= STRUCTURED_FLOOR


@pytest.mark.parametrize("name", TEXTS_OF_EVERY_DAY)
def test_ordinary_tickets_are_neither_quarantined_nor_eaten(
    fixtures: Path, redaction: RedactionEngine, name: str
) -> None:
    texts = [row["text"] for row in _rows(fixtures / name)]

    touched = sum(bool(PLACEHOLDER.search(redaction.redact_text(text))) for text in texts)

    assert touched / len(texts) < 0.25


def _rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]{2,}", text.lower())
