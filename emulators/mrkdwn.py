"""Slack's text markup as HTML: a small subset, and everything else escaped."""

import html
import re
from collections.abc import Mapping

from markupsafe import Markup

# Finished pieces wait behind private characters, so that no later rule looks into them.
OPEN, CLOSE = "\ue000", "\ue001"
HELD = re.compile(f"{OPEN}(\\d+){CLOSE}")
FENCE = re.compile(r"```(.+?)```", re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
TOKEN = re.compile(r"<([^<>\n]+)>")
EMPHASIS = tuple(
    (re.compile(rf"(?<![\w{mark}]){mark}(?=\S)([^{mark}\n]+?)(?<=\S){mark}(?![\w{mark}])"), tag)
    for mark, tag in ((r"\*", "strong"), ("_", "em"), ("~", "s"))
)
QUOTE = "&gt;"


def render(text: str, names: Mapping[str, str]) -> Markup:
    """HTML of `text`; `names` gives a name to user and channel ids."""
    return _Rendering(names).run(text)


def plain(text: str) -> Markup:
    """A plain text with its line breaks."""
    return Markup("<br>").join(_unescaped(text).split("\n"))  # joining escapes each line


class _Rendering:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._held: list[str] = []

    def run(self, text: str) -> Markup:
        text = text.replace(OPEN, "").replace(CLOSE, "")
        text = FENCE.sub(lambda match: self._hold(f"<pre>{_safe(match[1].strip())}</pre>"), text)
        text = CODE.sub(lambda match: self._hold(f"<code>{_safe(match[1])}</code>"), text)
        text = _safe(TOKEN.sub(lambda match: self._hold(self._token(match[1])), text))
        for pattern, tag in EMPHASIS:
            text = pattern.sub(rf"<{tag}>\1</{tag}>", text)
        return Markup(self._release(_with_quotes(text)))  # noqa: S704 - every piece was escaped above

    def _hold(self, piece: str) -> str:
        self._held.append(piece)
        return f"{OPEN}{len(self._held) - 1}{CLOSE}"

    def _release(self, text: str) -> str:
        while HELD.search(text):
            text = HELD.sub(lambda match: self._held[int(match[1])], text)
        return text

    def _token(self, inside: str) -> str:
        target, _, label = inside.partition("|")
        if target.startswith(("https://", "http://", "mailto:")):
            return f'<a href="{_safe(target)}" rel="noreferrer noopener">{_safe(label or target)}</a>'
        if target[0] in "@#":
            name = self._names.get(target[1:], label or target[1:])
            return f'<span class="mention">{target[0]}{_safe(name)}</span>'
        if target.startswith("!date^"):
            return _safe(label)
        if target[0] == "!":
            return f'<span class="mention">@{_safe(label or target[1:].partition("^")[0])}</span>'
        return _safe(f"<{inside}>")


def _safe(text: str) -> str:
    return html.escape(_unescaped(text))


def _unescaped(text: str) -> str:
    # Slack knows these three entities only.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _with_quotes(text: str) -> str:
    out: list[str] = []
    quoted: list[str] = []
    for line in [*text.split("\n"), None]:
        if line is not None and line.startswith(QUOTE):
            quoted.append(line.removeprefix(QUOTE).strip())
            continue
        if quoted:
            out.append(f"<blockquote>{'<br>'.join(quoted)}</blockquote>")
            quoted = []
        if line is not None:
            out.append(line)
    return (
        "<br>".join(out)
        .replace("</blockquote><br>", "</blockquote>")
        .replace("<br><blockquote>", "<blockquote>")
    )
