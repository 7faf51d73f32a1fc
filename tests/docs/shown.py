"""What a page shows of a command, to be compared with what the command prints."""

import re
from pathlib import Path

BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"), "TIME"),
    (re.compile(r"\b(dec|apr|eff|principal)_[0-9a-f]{8,}"), r"\1_ID"),
    (re.compile(r"sha256:[0-9a-f]{8,64}"), "DIGEST"),
)


def shown_in(page: Path, beginning: str) -> str:
    """The one block of a page that begins so."""
    blocks: list[str] = BLOCK.findall(page.read_text("utf-8"))
    [block] = [each for each in blocks if each.startswith(beginning)]
    return block


def without_what_changes(text: str) -> str:
    """Times and ids differ from run to run, and nothing else may."""
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return text.rstrip() + "\n"
