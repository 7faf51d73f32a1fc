"""Learns a taxonomy's examples: TF-IDF of words and character groups, logistic regression, honest confidence.

Runs in a child of the pool. Learning takes well under a second; the last taxonomies are kept.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from adapters.triage.digest import classifier_digest
from adapters.triage.signals import signals_in
from adapters.triage.taxonomy import background_examples
from adapters.triage.thanks import is_thanks
from adapters.triage.tone import language_of, priority_of, sentiment_of
from domain.model import Code
from domain.placeholder import PLACEHOLDER, PlaceholderKind
from domain.triage import Intent, Priority, Signal, Taxonomy, Triage

MAX_CHARACTERS = 20_000
NOTHING = ""
MAX_SENTENCES = 40
SHORTEST_SENTENCE_WORDS = 3
# A confidence is the probability times how near the text is to the nearest example of the intent: at `NEAR`
# and above nothing is taken off, at 0 everything is. Probabilities alone are sure of anything.
NEAR = 0.35
# Fitted by five-fold cross-validation over our own examples: the lowest log loss of "this intent is right".
CALIBRATION = 0.75
POLITENESS_WEIGHT = 0.3  # of intents with low priority, in the choice between intents

_SPOKEN_KINDS = frozenset({PlaceholderKind.ORDER, PlaceholderKind.CARD})
_LETTER = regex.compile(r"\p{L}")
_SENTENCE_END = regex.compile(r"(?<=[.!?])\s+|\n+")
_TOKEN = r"\b\w+\b"  # noqa: S105 - an expression for words
_SPACES = regex.compile(r"\s+")
Matrix = NDArray[np.float64]


class LinearModel:
    """One taxonomy, learnt."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._intents = {intent.intent: intent for intent in taxonomy.intents}
        texts, labels = _training_set(taxonomy)
        self._labels = np.array(labels)
        self._features = _features()
        self._examples = self._features.fit_transform(texts)
        self._projection = _projection(self._examples)
        self._regression = LogisticRegression(C=30.0, max_iter=200, tol=1e-3)
        self._regression.fit(self._examples @ self._projection, self._labels)
        codes = [str(label) for label in self._regression.classes_]
        self._known = np.array([code in self._intents for code in codes])
        self._weights = np.array([self._weight(code) for code in codes])
        self._digest = classifier_digest(taxonomy)

    def triage(self, subject: str, text: str) -> Triage:
        """Never raises: a text without words is the fallback with confidence 0."""
        code, confidence = self._most_certain(_pieces(text) or _pieces(subject))
        intent = self._intents.get(code) or Intent(
            intent=self._taxonomy.fallback, queue=self._taxonomy.fallback_queue, examples=()
        )
        said = f"{subject}\n{text}"[:MAX_CHARACTERS]
        signals = signals_in(said) or ((Signal.THANKS,) if is_thanks(text) else ())
        return Triage(
            intent=intent.intent,
            queue=intent.queue,
            priority=priority_of(said, intent.priority, signals),
            language=language_of(said),
            sentiment=sentiment_of(said),
            confidence_permille=round(1000 * confidence),
            signals=signals,
            classifier=self._digest,
        )

    def _most_certain(self, pieces: list[str]) -> tuple[Code, float]:
        """People greet and explain; one sentence says what they want."""
        if not pieces or not self._intents:
            return self._taxonomy.fallback, 0.0
        rows = self._features.transform(pieces)
        near = np.minimum(1.0, self._nearness(rows) / NEAR)
        certain: Matrix = (self._regression.predict_proba(rows @ self._projection) * near).max(axis=0)
        known = np.where(self._known, certain, 0.0)
        column = int(np.argmax(known * self._weights))
        # Nothing we know fits better than what support is not about: say so, and do not sound sure.
        fits = known[column] > 0 and known[column] >= np.where(self._known, 0.0, certain).max()
        code = str(self._regression.classes_[column]) if fits else self._taxonomy.fallback
        return code, float(min(1.0, known[column] ** CALIBRATION))

    def _nearness(self, rows: Any) -> Matrix:
        """Cosine to the nearest example of each intent; a row is two vectors of length 1, hence the half."""
        similar: Matrix = np.asarray((rows @ self._examples.T).todense()) / 2.0
        classes = self._regression.classes_
        return np.stack([similar[:, self._labels == label].max(axis=1) for label in classes], axis=1)

    def _weight(self, code: Code) -> float:
        """`Thanks in advance` must not drown the question before it."""
        intent = self._intents.get(code)
        return POLITENESS_WEIGHT if intent is not None and intent.priority is Priority.LOW else 1.0


def _training_set(taxonomy: Taxonomy) -> tuple[list[str], list[str]]:
    pairs = [(example, intent.intent) for intent in taxonomy.intents for example in intent.examples]
    pairs += [(example, taxonomy.fallback) for example in background_examples()]
    pairs += [("", NOTHING)]  # a regression needs two classes, and a taxonomy may be empty
    return [_prepared(text) for text, _ in pairs], [label for _, label in pairs]


def _projection(examples: Any) -> Matrix:
    """On to the space that the examples span: the same regression over hundreds of columns, not thousands."""
    strengths, axes = np.linalg.eigh(np.asarray((examples @ examples.T).todense()))
    kept = strengths > 1e-9
    return np.asarray(examples.T @ (axes[:, kept] / np.sqrt(strengths[kept])))


def _features() -> FeatureUnion:
    return FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=_TOKEN)),
            ("letters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)),
        ]
    )


def _pieces(text: str) -> list[str]:
    """The whole text and its sentences."""
    whole = _prepared(text[:MAX_CHARACTERS])
    sentences = [_prepared(sentence) for sentence in _SENTENCE_END.split(text[:MAX_CHARACTERS])]
    long = [sentence for sentence in sentences if len(sentence.split()) >= SHORTEST_SENTENCE_WORDS]
    return [piece for piece in dict.fromkeys([whole, *long[:MAX_SENTENCES]]) if piece]


def _prepared(text: str) -> str:
    """Some placeholders say what they stand for, the others nothing; their numbers never count."""
    if not _LETTER.search(PLACEHOLDER.sub("", text)):
        return ""
    return _SPACES.sub(" ", PLACEHOLDER.sub(_spoken, text)).strip().lower()


def _spoken(match: "re.Match[str]") -> str:
    return f" {match['kind'].lower()} " if match["kind"] in _SPOKEN_KINDS else " "


@lru_cache(maxsize=32)
def _learnt(taxonomy_json: str) -> LinearModel:
    return LinearModel(Taxonomy.model_validate_json(taxonomy_json))


def classify_call(argument: Any) -> Any:
    """`Classifier.classify` as the pool carries it: `subject`, `text` and `taxonomy`."""
    taxonomy = Taxonomy.model_validate(argument["taxonomy"])
    triage = _learnt(taxonomy.model_dump_json()).triage(argument.get("subject", ""), argument["text"])
    return triage.model_dump(mode="json")


def accuracy(model: LinearModel, examples: Sequence[tuple[str, Code]]) -> float:
    """The share of `examples` whose intent the model finds."""
    return sum(model.triage("", text).intent == code for text, code in examples) / len(examples)
