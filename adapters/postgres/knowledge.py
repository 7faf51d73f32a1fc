"""The `Knowledge` port: full-text search over a tenant's passages, where any word may match."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, text

from adapters.postgres.session import Database
from domain.knowledge import Citation, KnowledgeZone, Passage, RetrievalBackend
from domain.placeholder import PLACEHOLDER

# A very long message says no more about its subject, and its words would only thin the score.
QUERY_CHARACTERS = 4000

# AND semantics would find nothing for a whole message, so every word of it may match by itself.
# Score: the share of the query's words that the passage has, each weighted by its rarity among the
# tenant's passages. A word that no passage knows weighs half a rare one: it says that we know less of
# the subject, but messages are full of words that belong to no subject.
SEARCH = text("""
    with words as (
        select lexeme from unnest(to_tsvector('english', :query))
    ), any_word as (
        select string_agg(quote_literal(lexeme), ' | ')::tsquery as query from words
    ), ours as materialized (
        select id, version, zone, title, body, terms from passages
        where tenant_id = :tenant and zone = any(:zones)
    ), hits as (
        select ours.id, term.lexeme from ours, unnest(ours.terms) as term join words using (lexeme)
    ), weights as (
        select lexeme, ln(1 + (select count(*) from ours)::float / greatest(count(hits.id), 1))
            * case when count(hits.id) = 0 then 0.5 else 1 end as weight
        from words left join hits using (lexeme) group by lexeme
    ), found as (
        select hits.id, sum(weight) / nullif((select sum(weight) from weights), 0) as coverage
        from hits join weights using (lexeme) group by hits.id
    )
    select ours.id, version, zone, title, body, round(1000 * coverage)::int as score
    from found join ours using (id)
    order by coverage desc, ts_rank(terms, (select query from any_word), 1) desc, ours.id
    limit :most
""")


class PostgresKnowledge:
    """Works as `app`. Reads every passage of the tenant: fine for some thousand of them."""

    backend = RetrievalBackend.FULL_TEXT

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(
        self, tenant_id: UUID, query: str, zones: frozenset[KnowledgeZone], limit: int
    ) -> Sequence[Passage]:
        """Best first; empty is an answer."""
        values = {
            "tenant": tenant_id,
            "query": PLACEHOLDER.sub(" ", query)[:QUERY_CHARACTERS],
            "zones": sorted(zones),
            "most": limit,
        }
        async with self._database.transaction(tenant_id) as session:
            rows = (await session.execute(SEARCH, values)).mappings().all()
        return [_passage(row) for row in rows]


def _passage(row: RowMapping) -> Passage:
    citation = Citation(
        passage_id=row["id"],
        version=row["version"],
        zone=KnowledgeZone(row["zone"]),
        score_permille=row["score"],
    )
    return Passage(citation=citation, title=row["title"], body=row["body"])
