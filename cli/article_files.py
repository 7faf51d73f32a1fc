"""Articles as Markdown files with front matter."""

import re
from pathlib import Path

from pydantic import Field, ValidationError

from adapters.drafting.excerpts import paragraphs
from adapters.postgres.articles import ArticleEntry
from cli.tenant_file import Part, TenantFileRefused, parse_yaml, read_text, refusal
from domain.knowledge import KnowledgeZone

FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n(.*)\Z", re.DOTALL)


class FrontMatter(Part):
    """What stands above an article's text."""

    title: str = Field(min_length=1, max_length=200)
    zone: KnowledgeZone


def read_articles(folder: Path, named_by: Path) -> tuple[ArticleEntry, ...]:
    """Every Markdown file of the folder. Raises `TenantFileRefused`."""
    found = sorted(folder.glob("*.md"))
    if not found:
        remedy = f"Put at least one .md file into the folder {folder.name!r}"
        raise TenantFileRefused(named_by, "articles", remedy)
    entries: dict[str, ArticleEntry] = {}
    for path in found:
        entry = _article(path)
        if entry.title in entries:
            raise TenantFileRefused(path, "title", "Another article has it. Choose another one")
        entries[entry.title] = entry
    return tuple(entries.values())


def _article(path: Path) -> ArticleEntry:
    match = FRONT_MATTER.match(read_text(path, path))
    if match is None:
        raise TenantFileRefused(path, "", "Begin it with ---, title: and zone: lines, and --- again")
    try:
        head = FrontMatter.model_validate(parse_yaml(path, match[1]))
    except ValidationError as error:
        raise refusal(path, error) from None
    # A list and its introduction become one block, so that no passage ends between them.
    body = "\n\n".join(paragraphs(match[2].replace("\r\n", "\n")))
    if not body:
        raise TenantFileRefused(path, "", "Write the article's text below the second ---")
    return ArticleEntry(title=head.title, body=body, zone=head.zone)
