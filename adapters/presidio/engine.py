"""Presidio's engines with our recognisers: no model, nothing downloaded, no text in a log."""

import hashlib
import json
import logging
from importlib.metadata import version

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine
from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import OperatorConfig
from presidio_anonymizer.entities import RecognizerResult as Finding

from adapters.presidio.gazetteer import AMBIGUOUS_NAMES, GIVEN_NAMES, NOT_NAMES
from adapters.presidio.names import PLACES, ListedNames, PlacedNames
from adapters.presidio.placeholders import Placeholders
from adapters.presidio.recognizers import RULES, RuleRecognizer
from domain.model import Digest
from domain.placeholder import PlaceholderKind

SET_VERSION = "1"
CHUNK_CHARACTERS = 20_000
OVERLAP_CHARACTERS = 500
_CONTAINERS = frozenset(
    {PlaceholderKind.URL, PlaceholderKind.EMAIL, PlaceholderKind.ADDRESS, PlaceholderKind.SECRET}
)
_NOTHING = NlpArtifacts([], [], [], [], None, "en")  # type: ignore[arg-type]  # nobody looks at it
LANGUAGE = "en"  # of the engine; the recognisers do not depend on it


_ANONYMIZER = AnonymizerEngine()  # type: ignore[no-untyped-call]  # keeps nothing between texts


def quiet() -> None:
    """Presidio logs matches at DEBUG and one line per text at INFO."""
    for name in ("presidio-analyzer", "presidio-anonymizer"):
        logging.getLogger(name).setLevel(logging.WARNING)


def new_analyzer() -> AnalyzerEngine:
    """Never bare: an engine without arguments tries to download a model."""
    quiet()
    nlp_engine = NoOpNlpEngine(models=[{"lang_code": LANGUAGE, "model_name": "none"}])
    nlp_engine.load()
    recognizers = [*map(RuleRecognizer, RULES), PlacedNames(), ListedNames()]
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=[LANGUAGE])
    return AnalyzerEngine(registry=registry, nlp_engine=nlp_engine, supported_languages=[LANGUAGE])


def recognizers_digest() -> Digest:
    """Which recogniser set answered: rules, word lists, versions."""
    content = [
        SET_VERSION,
        version("presidio-analyzer"),
        version("phonenumbers"),
        [(rule.name, rule.kind, rule.pattern, rule.score, rule.check.__name__) for rule in RULES],
        PLACES,
        sorted(GIVEN_NAMES),
        sorted(AMBIGUOUS_NAMES),
        sorted(NOT_NAMES),
    ]
    return "sha256:" + hashlib.sha256(json.dumps(content).encode()).hexdigest()


def find(
    analyzer: AnalyzerEngine, text: str, extra: list[EntityRecognizer], *, only_extra: bool = False
) -> list[RecognizerResult]:
    """Every finding in `text`, in overlapping chunks so that no pattern meets an endless text."""
    found: list[RecognizerResult] = []
    for start in range(0, max(len(text), 1), CHUNK_CHARACTERS - OVERLAP_CHARACTERS):
        chunk = text[start : start + CHUNK_CHARACTERS]
        for finding in _find_in(analyzer, chunk, extra, only_extra=only_extra):
            finding.start += start
            finding.end += start
            found.append(finding)
    return found


def _find_in(
    analyzer: AnalyzerEngine, chunk: str, extra: list[EntityRecognizer], *, only_extra: bool
) -> list[RecognizerResult]:
    if only_extra:
        return [finding for recognizer in extra for finding in recognizer.analyze(chunk, [], _NOTHING)]
    found = analyzer.analyze(chunk, LANGUAGE, ad_hoc_recognizers=extra, score_threshold=0.0)
    return list(found)


def united(findings: list[RecognizerResult]) -> list[Finding]:
    """Overlapping findings become one over everything they cover."""
    groups: list[list[RecognizerResult]] = []
    end = -1
    for finding in sorted(findings, key=lambda f: (f.start, -f.end)):
        if finding.start >= end:
            groups.append([])
        groups[-1].append(finding)
        end = max(end, finding.end) if len(groups[-1]) > 1 else finding.end
    return [_union(group) for group in groups]


def _union(group: list[RecognizerResult]) -> Finding:
    """Named after the best score, but an address or a link that contains everything stays what it is."""
    start, end = min(f.start for f in group), max(f.end for f in group)
    containers = [f for f in group if (f.start, f.end) == (start, end) and f.entity_type in _CONTAINERS]
    best = max(containers or group, key=lambda f: (f.score, f.end - f.start))
    return Finding(best.entity_type, start, end, best.score)


def replaced(text: str, findings: list[Finding], placeholders: Placeholders) -> str:
    """`text` with placeholders, numbered in reading order."""
    for finding in findings:
        placeholders.of(PlaceholderKind(finding.entity_type), text[finding.start : finding.end])
    operators = {kind.value: _operator(kind, placeholders) for kind in PlaceholderKind}
    answer = _ANONYMIZER.anonymize(text, findings, operators, merge_entities_with_spaces=False)
    return str(answer.text)


def _operator(kind: PlaceholderKind, placeholders: Placeholders) -> OperatorConfig:
    return OperatorConfig("custom", {"lambda": lambda text: placeholders.replace(kind, text)})
