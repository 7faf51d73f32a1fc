"""What personal data looks like: one `Rule` per spelling, run by Presidio under a time limit that raises.

Presidio's own `PatternRecognizer` logs a time-out and skips the pattern, which fails open. Ours raises.
"""

# ruff: noqa: E501 - an expression that is cut into lines is harder to read than a long one

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult

from adapters.presidio import checks
from domain.placeholder import PlaceholderKind

PATTERN_TIMEOUT_S = 0.5

Span = tuple[int, int]
Check = Callable[[str], Iterable[Span]]

# Between the digits of one number people write almost anything.
_GAP = r"[ \t.\-\u2010-\u2015/·_*]{0,3}"
_TLD = (
    "com|org|net|info|biz|io|co|dev|app|shop|store|online|site|xyz|bank|edu|gov|mil|eu|uk|us|de|fr|es|it|nl|be|at|"
    "ch|ca|au|nz|ie|in|jp|cn|br|mx|pl|pt|se|no|dk|fi|cz|ru|tv|me|ly|gl"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = (
    rf"(?:\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}}|\d{{1,2}}(?:st|nd|rd|th)?[ -](?:of )?{_MONTH}\.?,?[ -]\d{{2,4}}|"
    rf"{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{2,4}})"
)
_STREET = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct|way|place|pl|square|sq|terrace|"
    r"close|crescent|parkway|pkwy|highway|hwy|circle|cir|trail|trl|row|gardens|grove|mews|quay|wharf|hill|alley)"
)
_ORDER_NUMBER = r"#?\s?(?P<value>(?:[A-Z]{1,4}-?)?\d{3,12})"


@dataclass(frozen=True)
class Rule:
    """One spelling. The span is the group `value`, or the whole match; `check` narrows or drops it."""

    name: str
    kind: PlaceholderKind
    pattern: str
    score: float
    check: Check = checks.whole
    case_sensitive: bool = False


K = PlaceholderKind
RULES: tuple[Rule, ...] = (
    Rule("email", K.EMAIL, r"""(?<![\w.+%'-])[\w.+%'-]++@[\w-]++(?:\.[\w-]++)*+""", 0.95),
    Rule("email_quoted", K.EMAIL, r'"[^"\s@]{1,40}(?: [^"\s@]{1,40}){0,3}"@[\w-]++(?:\.[\w-]++)*+', 0.95),
    Rule("email_spaced", K.EMAIL, r"(?<![\w.+%-])[\w.+%-]++ ?@ ?[\w-]++(?:\.[\w-]++)++", 0.9),
    Rule(
        "email_spelt",
        K.EMAIL,
        r"(?<![\w.+%-])(?:[\w+%-]{1,40} dot ){0,3}[\w.+%-]{1,64} ?(?:[\[({<] ?at ?[\])}>] ?[\w-]{1,63}"
        r"(?: ?(?:\.|[\[({<] ?dot ?[\])}>]| dot ) ?[\w-]{1,63}){1,4}"
        r"| at [\w-]{1,63}(?: ?[\[({<] ?dot ?[\])}>] ?[\w-]{2,63}| dot [\w-]{2,63}){1,4})",
        0.9,
    ),
    Rule("url", K.URL, r"""(?<![a-z])(?:https?|ftps?|sftp)://[^\s<>"'‹›|\\^`{}]++""", 0.9, checks.without_closing_marks),
    Rule("url_www", K.URL, r"""(?<![\w.@-])www\.[^\s<>"'‹›|\\^`{}]++""", 0.85, checks.without_closing_marks),
    Rule(
        "url_path",
        K.URL,
        r"""(?<![\w.@-])(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}(?::\d{1,5})?/[^\s<>"'‹›|\\^`{}]++""",
        0.8,
        checks.without_closing_marks,
    ),
    Rule("url_host", K.URL, rf"(?<![\w.@-])(?:[\w-]{{1,63}}\.){{1,6}}(?:{_TLD})(?::\d{{1,5}})?(?![\w-]|\.\w)", 0.7),
    Rule("card", K.CARD, r"(?<!\d)\d(?:[\s.\-\u2010-\u2015/·_*]{0,3}\d){12,60}(?!\d)", 1.0, checks.cards),
    Rule("card_shape", K.CARD, r"(?<!\d)\d{4}([ .-])\d{4}\1\d{4}\1\d{1,7}(?!\d)", 0.6),
    # Looks ahead without taking, because the words after an IBAN look like more of it and may hold the next one.
    Rule("iban", K.IBAN, r"(?<![A-Za-z0-9])(?=(?P<value>[A-Z]{2}\d{2}(?:[ \t-]?[A-Z0-9]){11,40}))", 0.97, checks.ibans),
    Rule("ssn", K.SSN, r"(?<![\d-])\d{3}([- .])\d{2}\1\d{4}(?![\d-])", 0.9),
    Rule("ssn_context", K.SSN, r"\b(?:ssn|social security|itin|tax id)\b[^\d\n]{0,30}(?P<value>\d{3}[- .]?\d{2}[- .]?\d{4})(?!\d)", 0.95),
    Rule("nino", K.SSN, r"(?<![A-Za-z0-9])[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za-z0-9])", 0.85),
    Rule("ipv4", K.IP, r"(?<![\w.])(?<!version )(?<!v\. )\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)", 0.85, checks.addresses),
    Rule("ipv6", K.IP, r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:[0-9.]{0,15})(?![\w:])", 0.85, checks.addresses),
    Rule("mac", K.IP, r"(?<![\w:-])[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![\w:-])", 0.8),
    Rule(
        "birthdate",
        K.BIRTHDATE,
        rf"\b(?:born|birth ?day|birth ?date|date of birth|d\.?o\.?b\b\.?)[^\d\n]{{0,30}}?(?P<value>{_DATE})",
        0.9,
    ),
    Rule("phone", K.PHONE, rf"(?<![\w.])(?:\+|00)?\(?\d(?:[)(]{{0,2}}{_GAP}[)(]{{0,2}}\d){{6,17}}(?![\d])(?: ?(?:x|ext\.?) ?\d{{1,6}})?", 0.75, checks.phones),
    Rule(
        "phone_context",
        K.PHONE,
        r"\b(?:phone|telephone|tel|call(?: me)?(?: on| at)?|mobile|cell|text me|reach me(?: on| at)?|whatsapp|fax)\b"
        r"[^\d\n+(]{0,25}(?P<value>\+?\(?\d(?:[ \t()./-]{0,3}\d){5,16})(?!\d)",
        0.8,
        checks.not_dates,
    ),
    Rule("long_number", K.NUMBER, r"(?:(?<![A-Za-z0-9])[A-Z]{1,4})?\d{9,}+[A-Z0-9]{0,12}", 0.3),
    Rule("grouped_number", K.NUMBER, r"(?<!\d)\d(?:[ -]?\d){8,60}(?!\d)", 0.3, checks.not_dates),
    Rule("account", K.NUMBER, r"\b(?:account|acct|a/c|customer|member(?:ship)?|policy|routing|loyalty)\b(?: ?(?:numbers?|no\.?|nr\.?|ids?|#|is|:)){0,3} ?(?P<value>\d[\d -]{3,24}\d)(?!\w)", 0.5),
    Rule("sort_code", K.NUMBER, r"\bsort ?code\b(?: is|:)? ?(?P<value>\d{2}[- ]?\d{2}[- ]?\d{2})(?!\w)", 0.8),
    Rule("document", K.NUMBER, r"\b(?:passport|driv(?:er['’]?s?|ing) licen[cs]e|licen[cs]e plate|national id|identity card|id card)\b(?: ?(?:numbers?|no\.?|nr\.?|is|:|#)){0,3} ?(?P<value>[A-Z]{0,3}[ -]?\d[A-Z0-9 -]{2,14}[A-Z0-9])(?!\w)", 0.7, case_sensitive=False),
    Rule("username", K.PERSON, r"\b(?:user ?(?:name|id)|login(?: name)?|handle)\b(?: is|:)+ ?(?P<value>@?[\w.-]{2,40}\w)", 0.6, checks.with_a_digit_or_mark),
    Rule("order_code", K.ORDER, r"(?<![\w-])#?(?P<value>[A-Z]{1,4}-\d{4,10})(?![\w-])", 0.8, case_sensitive=True),
    Rule("order_joined", K.ORDER, r"(?<![\w-])[A-Z]{1,3}\d{6,10}(?![\w-])", 0.6, case_sensitive=True),
    Rule("order_hash", K.ORDER, r"(?<![\w&#/])#\s?(?P<value>(?:[A-Z]{1,4}-?)?\d{3,12})(?![\w])", 0.85),
    Rule(
        "order_context",
        K.ORDER,
        r"\b(?:order|purchase|invoice|booking|reservation)s?\b"
        r"(?:[ \t]{0,2}(?:numbers?|nos?\.?|nr\.?|ids?|code|ref(?:erence)?|is|was|are|:|,|-|\(|\")){0,3}"
        rf"[ \t]{{0,2}}{_ORDER_NUMBER}(?:(?:,| and| &|, and| or)\s{_ORDER_NUMBER}){{0,5}}(?![\w])",
        0.85,
    ),
    Rule("street", K.ADDRESS, rf"(?<![\w.])\d{{1,5}}[a-z]?,? (?:[\w.'-]{{1,30}} ){{1,4}}?{_STREET}\b\.?(?:,? (?:apt|apartment|suite|unit|flat|ste)\.? ?#?\w{{1,6}})?(?:,? [A-Z][\w' -]{{1,40}})?(?:, ?[A-Z]{{2}})?(?: \d{{5}}(?:-\d{{4}})?)?", 0.7, checks.streets),
    Rule("street_joined", K.ADDRESS, r"(?<!\w)\p{Lu}[\p{L}-]{2,30}(?:straße|strasse|str\.|weg|gasse|allee|platz) ?\d{1,4} ?[a-z]?(?!\w)(?:,? \d{5} \p{Lu}[\p{L}-]{2,30})?", 0.7, case_sensitive=True),
    Rule("dwelling", K.ADDRESS, r"\b(?:apt|apartment|suite|ste)\.? ?#?\d{1,5}[a-z]?(?!\w)", 0.5),
    Rule("street_romance", K.ADDRESS, r"(?<!\w)(?:(?:\d{1,5},? )?(?:rue|rua|calle|via|viale|avenida|avenue|plaza|piazza|ul\.|ulica) (?:\p{L}[\p{L}'-]{0,30} ){0,3}\p{L}[\p{L}'-]{1,30},? \d{1,5})(?!\w)", 0.65),
    Rule("postcode_gb", K.ADDRESS, r"(?<![\w-])[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?![\w-])", 0.6, case_sensitive=True),
    Rule("postcode_us", K.ADDRESS, r"(?<!\w)[A-Z]{2},? \d{5}(?:-\d{4})?(?!\w)", 0.5, case_sensitive=True),
    Rule("postcode_context", K.ADDRESS, r"\b(?:zip|post(?:al)? ?code|zip ?code|live in|moved to)\b[^\d\n.]{0,20}?(?P<value>\b(?:\d{3,6}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}))(?!\w)", 0.7),
    Rule("po_box", K.ADDRESS, r"\bP\.? ?O\.? Box \d{1,6}", 0.7),
    Rule("address_context", K.ADDRESS, r"\b(?:live at|my|new|delivery|shipping|billing|home|postal|mailing) address\b(?: is| to|:| ?=)+ ?(?P<value>(?:(?!\.\s)[^\n;!?]){5,120})", 0.6, checks.with_a_digit),
    Rule("secret_named", K.SECRET, r"\b(?:pass ?(?:word|code|phrase)|passwort|api[ _-]?key|secret(?: key)?|access[ _-]?token|token|recovery code|login code|(?:one[- ]time|verification|security) (?:code|password)|otp)\b[\"'`]?(?: ?(?:is|was|are) ?:?| ?[:=])[ \t]*[\"'`‹(]?(?P<value>[^\s\"'`]{4,200})", 0.85, checks.secrets),
    Rule("secret_assigned", K.SECRET, r"\b(?:password|passcode|pwd|passwort|api[ _-]?key|secret)\b ?[:=][ \t]*[\"'`]?(?P<value>[^\s\"'`]{3,200})", 0.85, checks.without_closing_marks),
    Rule("secret_pin", K.SECRET, r"\b(?:pin(?: code| number)?|cvv2?|cvc2?|security code|otp|passcode)\b(?: (?:is|was|on the back is))?[ :=#]{0,3}(?P<value>\d{3,8})(?!\d)", 0.9),
    Rule("secret_bearer", K.SECRET, r"\bbearer +(?P<value>[\w.~+/=-]{12,}+)", 0.9),
    Rule("secret_jwt", K.SECRET, r"(?<!\w)eyJ[\w-]{8,}+\.[\w-]++\.?[\w-]*+", 0.95, case_sensitive=True),
    Rule("secret_key", K.SECRET, r"(?<![\w-])(?:sk|pk|rk)[_-](?:live|test|proj|ant)?[\w-]{16,}+|(?<!\w)(?:gh[pousr]_\w{20,}+|github_pat_\w{20,}+|glpat-[\w-]{16,}+|xox[abprs]-[\w-]{10,}+|whsec_[\w+/=]{16,}+|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}+|npm_\w{30,}+)", 0.95, case_sensitive=True),
    Rule("secret_pem", K.SECRET, r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\w+/=\s]{0,8000}+(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?", 0.99, case_sensitive=True),
)  # fmt: skip


class RuleRecognizer(EntityRecognizer):
    """One rule as Presidio runs it. Raises `TimeoutError` instead of skipping."""

    def __init__(self, rule: Rule) -> None:
        flags = regex.DOTALL | regex.MULTILINE | (0 if rule.case_sensitive else regex.IGNORECASE)
        self._rule = rule
        self._compiled = regex.compile(rule.pattern, flags)
        super().__init__([rule.kind.value], name=rule.name)

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 - Presidio's signature
        nlp_artifacts: Any = None,  # noqa: ARG002 - the same
    ) -> list[RecognizerResult]:
        """Every checked match."""
        found = self._compiled.finditer(text, timeout=PATTERN_TIMEOUT_S)
        return [
            result(self._rule.kind, start + first, start + last, self._rule.score)
            for match in found
            for start, end in _spans(match)
            for first, last in self._rule.check(text[start:end])
        ]


def result(kind: PlaceholderKind, start: int, end: int, score: float) -> RecognizerResult:
    """A finding in Presidio's words."""
    return RecognizerResult(kind.value, start, end, score)


def _spans(match: "regex.Match[str]") -> list[Span]:
    return match.spans("value") if "value" in match.re.groupindex else [match.span()]
