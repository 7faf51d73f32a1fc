"""Brings foreign text into one plain form before anybody looks for personal data in it."""

import html
import re
import unicodedata
import warnings

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning

from domain.placeholder import PlaceholderKind

MAX_CHARACTERS = 200_000  # of one text; more cannot be trusted to be redacted in time

_HTML_TAGS = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|cite|code|dd|del|div|dl|dt|em|font|footer|form|"
    "h[1-6]|head|header|hr|html|i|img|input|ins|kbd|label|li|link|main|mark|meta|nav|o:p|ol|p|pre|q|s|samp|"
    "script|section|small|span|strike|strong|style|sub|sup|table|tbody|td|template|tfoot|th|thead|title|tr|tt|"
    "u|ul|wbr"
)
_TAG = re.compile(rf"</?(?:{_HTML_TAGS})(?=[\s/>])", re.IGNORECASE)
_NOT_A_TAG = re.compile(rf"<(?!/?(?:{_HTML_TAGS})(?=[\s/>])|!--)", re.IGNORECASE)
_BLOCKS = re.compile(
    "^(?:address|article|blockquote|br|dd|div|dl|dt|footer|form|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|"
    "table|tr|ul)$"
)
_UNSEEN = ["script", "style", "head", "title", "template", "meta", "link"]
# Blank by look but not by category: fillers, joiners and variation selectors.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# What looks like one of our placeholders was typed by somebody, so it must not be put back as a value.
_TYPED_PLACEHOLDER = re.compile(
    rf"[\[<{{‹]{{0,2}}\s?(?<![\w.@-])({'|'.join(PlaceholderKind)})_([0-9]{{1,4}})(?:_[a-z0-9]{{2,8}})?(?![\w@-])\s?[\]>}}›]{{0,2}}",
    re.IGNORECASE,
)
# An address out of a link that was copied without its beginning.
_ESCAPED_AT = re.compile(r"(?<=[\w.+-])%40(?=[\w-])")
_LINE_ENDS = "\x0b\x0c\x85\u2028\u2029"
_INSTEAD = {"Cc": "", "Cf": "", "Cn": "", "Co": "", "Zs": " "}
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")


class TextTooLong(Exception):
    """More text than we promise to redact."""

    def __init__(self) -> None:
        super().__init__("The text is too long to be redacted")


def normalise(text: str) -> str:
    """Plain text: no markup, entities, invisible characters, compatibility forms or typed placeholders."""
    _check_length(text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for _ in range(2):  # markup may itself be escaped where a mail passed two systems
        if _TAG.search(text):
            text = _without_markup(text)
        text = _unescaped(text)
    text = _visible(unicodedata.normalize("NFKC", text))
    _check_length(text)  # a compatibility form can be eighteen times as long
    return _tidy(_neutralised(_ESCAPED_AT.sub("@", text)))


def _check_length(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise TextTooLong


def _without_markup(text: str) -> str:
    # `Jane <jane@…>` is an address and not a tag; a parser would drop it silently.
    text = _NOT_A_TAG.sub("&lt;", text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)  # the warning quotes the text
        soup = BeautifulSoup(text, "html.parser")
    for unseen in soup(_UNSEEN):
        unseen.decompose()
    for block in soup(_BLOCKS):
        block.insert_before("\n")
        block.append("\n")
    for cell in soup(["td", "th"]):
        cell.append(" ")
    return soup.get_text()


def _unescaped(text: str) -> str:
    for _ in range(2):
        plain = html.unescape(text)
        if plain == text:
            break
        text = plain
    return text


def _visible(text: str) -> str:
    return "".join(map(_visible_character, _INVISIBLE.sub("", text)))


def _visible_character(character: str) -> str:
    if character.isascii() and (character >= " " or character in "\n\t"):
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _LINE_ENDS:
        return "\n"
    return _INSTEAD.get(category, character)


def _neutralised(text: str) -> str:
    text = _TYPED_PLACEHOLDER.sub(_typed, text)
    return text.replace("[[", "((").replace("]]", "))")


def _typed(match: re.Match[str]) -> str:
    return f"({match[1]}-{match[2]})"


def _tidy(text: str) -> str:
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
