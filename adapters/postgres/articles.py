"""A tenant's articles, cut into passages that can be found and cited."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Function, delete, func, insert, literal_column, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.session import Database
from adapters.postgres.tables import articles, passages
from domain.conversation import TextModel
from domain.knowledge import KnowledgeZone

# Long enough to answer one question, short enough to quote.
PASSAGE_CHARACTERS = 600
ROWS_AT_ONCE = 500  # a statement has at most 65535 parameters
HEADING = re.compile(r"^#{1,6}[ \t]+(?P<title>.+)$", re.MULTILINE)


class ArticleEntry(TextModel):
    """One article; `body` is plain text or Markdown, paragraphs apart by an empty line."""

    title: str
    body: str
    zone: KnowledgeZone = KnowledgeZone.PUBLIC


class ArticleShelf:
    """Puts articles on a tenant's shelf, as `owner`. Titles are unique per tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, tenant_id: UUID, entries: Sequence[ArticleEntry]) -> int:
        """Adds or replaces; how many changed. Unchanged articles keep version and passages."""
        async with self._database.transaction(tenant_id) as session:
            known = await _known(session, tenant_id)
            changed = {e.title: e for e in entries if known.get(e.title) != _digest(e)}
            if changed:
                await _replace(session, tenant_id, list(changed.values()))
        return len(changed)


async def _known(session: AsyncSession, tenant_id: UUID) -> dict[str, str]:
    query = select(articles.c.title, articles.c.content_digest).where(articles.c.tenant_id == tenant_id)
    return {row.title: row.content_digest for row in (await session.execute(query)).all()}


async def _replace(session: AsyncSession, tenant_id: UUID, entries: Sequence[ArticleEntry]) -> None:
    versions = await _put_articles(session, tenant_id, entries)
    mine = (passages.c.tenant_id == tenant_id) & passages.c.article_id.in_(versions)
    await session.execute(delete(passages).where(mine))
    rows = [row for entry in entries for row in _rows(tenant_id, versions, entry)]
    for some in range(0, len(rows), ROWS_AT_ONCE):
        await session.execute(insert(passages).values(rows[some : some + ROWS_AT_ONCE]))


async def _put_articles(
    session: AsyncSession, tenant_id: UUID, entries: Sequence[ArticleEntry]
) -> dict[UUID, int]:
    addition = upsert(articles).values([_article(tenant_id, entry) for entry in entries])
    replaced = {name: addition.excluded[name] for name in ("zone", "content_digest")}
    put = addition.on_conflict_do_update(
        index_elements=list(articles.primary_key), set_=replaced | {"version": articles.c.version + 1}
    ).returning(articles.c.id, articles.c.version)
    return {row.id: row.version for row in (await session.execute(put)).all()}


def _article(tenant_id: UUID, entry: ArticleEntry) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": _article_id(tenant_id, entry),
        "zone": entry.zone,
        "title": entry.title,
        "content_digest": _digest(entry),
    }


def _article_id(tenant_id: UUID, entry: ArticleEntry) -> UUID:
    return uuid5(tenant_id, f"article/{entry.title}")


def _rows(tenant_id: UUID, versions: dict[UUID, int], entry: ArticleEntry) -> Iterator[dict[str, Any]]:
    article_id = _article_id(tenant_id, entry)
    version = versions[article_id]
    for ordinal, (title, body) in enumerate(cut(entry)):
        yield {
            "tenant_id": tenant_id,
            "id": uuid5(article_id, f"{version}/{ordinal}"),
            "article_id": article_id,
            "version": version,
            "zone": entry.zone,
            "title": title,
            "body": body,
            "terms": _weighted(title, "'A'").op("||")(_weighted(body, "'D'")),
        }


def _weighted(words: str, weight: str) -> Function[Any]:
    # The function wants the type "char", which no bound parameter has.
    return func.setweight(func.to_tsvector("english", words), literal_column(weight))


def cut(entry: ArticleEntry) -> Iterator[tuple[str, str]]:
    """Titles and bodies of the passages: paragraphs under one heading, joined while they are short."""
    title, gathered = entry.title, ""
    apart = HEADING.sub(r"\n\n\g<0>\n\n", entry.body)
    for paragraph in filter(None, (part.strip() for part in re.split(r"\n\s*\n", apart))):
        heading = HEADING.match(paragraph)
        if gathered and (heading or len(gathered) + len(paragraph) > PASSAGE_CHARACTERS):
            yield title, gathered
            gathered = ""
        if heading:
            title = f"{entry.title} › {heading['title'].strip()}"
        else:
            gathered = f"{gathered}\n\n{paragraph}".strip()
    if gathered:
        yield title, gathered


def _digest(entry: ArticleEntry) -> str:
    return hashlib.sha256(f"{entry.zone}\n{entry.body}".encode()).hexdigest()
