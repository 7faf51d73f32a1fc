"""Names by where they stand (greeting, signature, introduction) and by a short list of given names."""

# ruff: noqa: E501 - an expression that is cut into lines is harder to read than a long one

from collections.abc import Iterator
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult

from adapters.presidio.gazetteer import AMBIGUOUS_NAMES, GIVEN_NAMES, NOT_NAMES
from adapters.presidio.recognizers import PATTERN_TIMEOUT_S, result
from domain.placeholder import PlaceholderKind

MAX_NAME_LETTERS = 40  # a longer token is an id or an encoding

_PART = r"(?:\p{Lu}[\p{L}'’-]{0,39}\b\.?)"
_PARTICLE = r"(?:de|da|del|della|der|den|di|dos|du|la|le|van|von|zu|bin|al|el|y)"
_NAME = rf"{_PART}(?:[ ](?:{_PARTICLE}[ ]){{0,2}}{_PART}){{0,3}}"
_FULL = rf"{_PART}(?:[ ](?:{_PARTICLE}[ ]){{0,2}}{_PART}){{1,3}}"
_ANY_CASE = r"[\p{L}'’-]{2,40}(?: [\p{L}'’-]{2,40})?"
_TITLE = r"(?i:mr|mrs|ms|miss|mx|dr|prof|sir|madam|herr|frau|señora?|mme|mlle)\.?"

# `Dear Harbour Books` greets a shop.
_BUSINESS = r"books?|shop|store|bank|company|ltd|inc|gmbh|team|support|services?|supplies|outfitters|online|club|market|hotel"

# (pattern, whether one word on its own is enough of a name)
PLACES: tuple[tuple[str, bool], ...] = (
    (rf"(?m)^[>\s]{{0,8}}(?i:hi|hello|dear|hey|hallo|liebe[r]?|good (?:morning|afternoon|evening|day))[ ,]{{1,3}}(?!(?:[\p{{L}}'’&-]{{1,30}} ){{1,3}}(?i:{_BUSINESS})\b)(?:{_TITLE} )?(?P<value>{_NAME})", True),
    (rf"(?m)(?i:regards|thanks|thank you|cheers|sincerely|faithfully|truly|greetings|best|wishes|love|grüßen|grüße|gruß|sent by|signed)[,.!;: ]{{0,3}}\s*\n[\s>-]{{0,12}}(?P<value>{_NAME})[,. ]{{0,2}}(?=\n|\Z)", True),
    (rf"(?i:regards|thanks|thank you|cheers|sincerely|yours|best|wishes)[,.!]? ?[-–—]? ?(?P<value>{_NAME})\s{{0,3}}\Z", True),
    (rf"(?m)^[ ]{{0,3}}[-–—~]{{1,2}} ?(?P<value>{_NAME})\s{{0,3}}\Z", True),
    (rf"(?i:\bmy (?:full )?name is|\bmy name['’]s|\bname ?:|\bi am called|\bnamed|\bsigned up as|\bunder the name(?: of)?|\bin the name of|\bcardholder(?: name)?(?: is|:)|\baccount holder(?: is|:)) (?P<value>{_NAME})", True),
    (rf"(?i:\bmy (?:full )?name is|\bmy name['’]s) (?P<value>{_ANY_CASE})", True),
    (rf"\b(?i:this is|i am|i['’]m|it['’]s|spoke (?:with|to)|talked (?:with|to)|speaking (?:with|to)|chatted with|told by|helped by|served by|contacted by|on behalf of|c/o|attn:?|met|colleague|for my (?:wife|husband|son|daughter|mother|father|friend|brother|sister|partner|boss)|my (?:wife|husband|son|daughter|mother|father|friend|brother|sister|partner|boss)),? (?P<value>{_FULL})", False),
    (rf"\b(?i:spoke (?:with|to)|talked (?:with|to)|speaking (?:with|to)|chatted with|told by|helped by|served by|(?:wife|husband|son|daughter|mother|father|brother|sister|partner|boss|colleague),?) (?P<value>{_PART})", True),
    (rf"(?<!\w){_TITLE} (?P<value>{_NAME})", True),
    (rf"(?P<value>{_FULL}) {{0,2}}(?=<[^<>\s@]{{1,64}}@)", False),
    (rf"(?m)^[>\s]{{0,8}}(?i:from|to|cc|bcc|attn|name|von|an|customer|recipient|contact|signed|ship to|deliver to)[ ]?:[ ]{{0,3}}(?P<value>{_NAME})", True),
    (rf"(?m)(?<=[,>] |^)(?P<value>{_FULL})(?= (?:<[^<>\n]{{1,100}}> )?(?i:wrote|writes|schrieb))", False),
)  # fmt: skip
_CAPITALISED = regex.compile(rf"(?<![\w@#.-]){_NAME}")
_APOSTROPHE = regex.compile("['’]")  # `I’d` is not a name, `O’Hara` is
_WORD = regex.compile(r"[\p{L}'’-]+")


class PlacedNames(EntityRecognizer):
    """Salutations, signatures, introductions, titles, mail headers."""

    def __init__(self) -> None:
        self._compiled = [(regex.compile(pattern), single) for pattern, single in PLACES]
        super().__init__([PlaceholderKind.PERSON.value], name="placed_names")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 - Presidio's signature
        nlp_artifacts: Any = None,  # noqa: ARG002 - the same
    ) -> list[RecognizerResult]:
        """Names without the ordinary words around them."""
        return [
            result(PlaceholderKind.PERSON, match.start("value") + first, match.start("value") + last, 0.7)
            for pattern, single in self._compiled
            for match in pattern.finditer(text, timeout=PATTERN_TIMEOUT_S)
            for first, last in _name_in(match["value"], alone=single)
        ]


class ListedNames(EntityRecognizer):
    """A listed given name, with the family name behind it where there is one."""

    def __init__(self) -> None:
        super().__init__([PlaceholderKind.PERSON.value], name="listed_names")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 - Presidio's signature
        nlp_artifacts: Any = None,  # noqa: ARG002 - the same
    ) -> list[RecognizerResult]:
        """Runs of capitalised words that begin a name."""
        return [
            result(PlaceholderKind.PERSON, match.start() + first, match.start() + last, 0.6)
            for match in _CAPITALISED.finditer(text, timeout=PATTERN_TIMEOUT_S)
            for first, last in _listed_in(match[0])
        ]


def _name_in(text: str, *, alone: bool) -> Iterator[tuple[int, int]]:
    """The leading words of `text` that are no ordinary ones."""
    words = _leading_names(list(_WORD.finditer(text)))
    if words and (alone or len(words) > 1):
        yield words[0].start(), words[-1].end()


def _listed_in(text: str) -> Iterator[tuple[int, int]]:
    words = list(_WORD.finditer(text))
    for place, word in enumerate(words):
        names = _leading_names(words[place : place + 4])
        given = word[0].lower()
        if given in GIVEN_NAMES or (given in AMBIGUOUS_NAMES and len(names) > 1):
            yield word.start(), (names or [word])[-1].end()
            return


def _leading_names(words: list["regex.Match[str]"]) -> list["regex.Match[str]"]:
    for place, word in enumerate(words):
        if _APOSTROPHE.split(word[0].lower())[0] in NOT_NAMES or len(word[0]) > MAX_NAME_LETTERS:
            return words[:place]
    return words
