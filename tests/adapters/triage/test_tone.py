"""Language, mood and urgency."""

import pytest

from adapters.triage.tone import language_of, priority_of, sentiment_of
from domain.triage import Language, Priority, Sentiment, Signal

LANGUAGES = [
    ("Where is my order?", Language.ENGLISH),
    ("refund", Language.ENGLISH),
    ("", Language.ENGLISH),
    ("ok", Language.ENGLISH),
    ("[[PERSON_1_ab12]]", Language.ENGLISH),
    ("My café order and the naïve jalapeño sauce", Language.ENGLISH),
    ("Wo ist meine Bestellung? Ich warte seit zwei Wochen.", Language.OTHER),
    ("Bonjour, je voudrais savoir où est ma commande", Language.OTHER),
    ("Hola, ¿dónde está mi pedido?", Language.OTHER),
    ("Buongiorno, dove è il mio ordine?", Language.OTHER),
    ("Waar is mijn bestelling?", Language.OTHER),
    ("Где мой заказ?", Language.OTHER),
    ("注文はどこですか", Language.OTHER),
    ("أين طلبي", Language.OTHER),
]


@pytest.mark.parametrize(("text", "language"), LANGUAGES)
def test_language(text: str, language: Language) -> None:
    assert language_of(text) is language


MOODS = [
    ("Where is my order?", Sentiment.NEUTRAL),
    ("Thank you, that was very helpful", Sentiment.POSITIVE),
    ("This is terrible, I am furious", Sentiment.NEGATIVE),
    ("WHERE IS MY PARCEL ANSWER ME NOW", Sentiment.NEGATIVE),
    ("Still nothing!!", Sentiment.NEGATIVE),
    ("", Sentiment.NEUTRAL),
]


@pytest.mark.parametrize(("text", "mood"), MOODS)
def test_sentiment(text: str, mood: Sentiment) -> None:
    assert sentiment_of(text) is mood


PRIORITIES = [
    ("a question", Priority.NORMAL, (), Priority.NORMAL, "the intent's own"),
    ("this is urgent", Priority.NORMAL, (), Priority.HIGH, "one step up"),
    ("this is urgent", Priority.URGENT, (), Priority.URGENT, "never above the top"),
    ("a question", Priority.LOW, (Signal.LEGAL_THREAT,), Priority.HIGH, "grave is at least high"),
    ("asap", Priority.HIGH, (Signal.IDENTITY_IN_DOUBT,), Priority.URGENT, "both"),
    ("a question", Priority.LOW, (Signal.ASKS_FOR_HUMAN,), Priority.LOW, "asking for a human is not grave"),
]


@pytest.mark.parametrize(("text", "base", "signals", "expected", "note"), PRIORITIES)
def test_priority(
    text: str, base: Priority, signals: tuple[Signal, ...], expected: Priority, note: str
) -> None:
    assert priority_of(text, base, signals) is expected
