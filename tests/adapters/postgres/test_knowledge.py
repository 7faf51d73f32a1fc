"""Search: any word may match, rare words count, other tenants and closed zones do not exist."""

import pytest

from adapters.postgres.articles import ArticleEntry, ArticleShelf, cut
from adapters.postgres.knowledge import PostgresKnowledge
from adapters.postgres.tenant_registry import TenantRegistry
from domain.knowledge import KnowledgeZone
from tests.adapters.postgres.story import Story
from tests.conftest import a_tenant

PUBLIC = frozenset({KnowledgeZone.PUBLIC})
ARTICLES = [
    ArticleEntry(title="Returns", body="You can return a parcel within thirty days. Use the printed label."),
    ArticleEntry(title="Shipping times", body="A parcel travels three days inside the country."),
    ArticleEntry(title="Gift cards", body="A gift card is valid for two years and can be used in parts."),
    ArticleEntry(title="Opening a parcel", body="Please open every parcel with care, a knife may hurt it."),
    ArticleEntry(title="Refund limits", body="Refunds above 500 need the lead.", zone=KnowledgeZone.INTERNAL),
]


@pytest.fixture
async def knowledge(story: Story) -> PostgresKnowledge:
    await ArticleShelf(story.databases.owner).put(story.ticket.tenant_id, ARTICLES)
    return PostgresKnowledge(story.databases.app)


async def titles(knowledge: PostgresKnowledge, story: Story, query: str) -> list[str]:
    found = await knowledge.search(story.ticket.tenant_id, query, PUBLIC, 3)
    return [passage.title for passage in found]


async def test_a_whole_message_finds_the_passage_about_it(knowledge: PostgresKnowledge, story: Story) -> None:
    message = "Hello [[PERSON_1_k7]] here, how long may I use the gift cards that my aunt gave me? Thanks!"

    assert (await titles(knowledge, story, message))[0] == "Gift cards"


async def test_a_rare_word_counts_more_than_a_common_one(knowledge: PostgresKnowledge, story: Story) -> None:
    assert (await titles(knowledge, story, "parcel label"))[0] == "Returns"


@pytest.mark.parametrize("query", ["", "   ", "the of and", "[[EMAIL_1_ab]]", "zebra", "';--", "a & b | (c"])
async def test_nothing_found_is_an_answer(knowledge: PostgresKnowledge, story: Story, query: str) -> None:
    assert await titles(knowledge, story, query) == []


async def test_scores_can_be_compared_between_questions(knowledge: PostgresKnowledge, story: Story) -> None:
    async def best(query: str) -> int:
        found = await knowledge.search(story.ticket.tenant_id, query, PUBLIC, 1)
        return found[0].citation.score_permille

    assert await best("gift card valid years") == 1000
    assert await best("my parcel made a strange noise during the opera on the moon") < 300


async def test_closed_zones_are_not_searched(knowledge: PostgresKnowledge, story: Story) -> None:
    query = "refunds above 500 lead"
    both = PUBLIC | {KnowledgeZone.INTERNAL}

    assert "Refund limits" not in await titles(knowledge, story, query)
    found = await knowledge.search(story.ticket.tenant_id, query, both, 1)
    assert [passage.citation.zone for passage in found] == [KnowledgeZone.INTERNAL]


async def test_another_tenant_finds_nothing(knowledge: PostgresKnowledge, registry: TenantRegistry) -> None:
    assert await knowledge.search(await a_tenant(registry), "gift card", PUBLIC, 3) == []


async def test_a_changed_article_is_a_new_version_and_others_stay(
    knowledge: PostgresKnowledge, story: Story
) -> None:
    changed = [ArticleEntry(title="Gift cards", body="A gift card is valid for ever."), *ARTICLES[:2]]

    count = await ArticleShelf(story.databases.owner).put(story.ticket.tenant_id, changed)

    found = await knowledge.search(story.ticket.tenant_id, "gift card", PUBLIC, 3)
    assert count == 1
    assert [(passage.body, passage.citation.version) for passage in found] == [
        ("A gift card is valid for ever.", 2)
    ]


def test_an_article_is_cut_at_headings_and_when_it_is_long() -> None:
    body = "Intro.\n\n## Labels\nPrint one.\n\n" + "\n\n".join(["word " * 60] * 3)

    passages = list(cut(ArticleEntry(title="Returns", body=body)))

    assert [title for title, _ in passages] == ["Returns", *3 * ["Returns › Labels"]][: len(passages)]
    assert passages[0] == ("Returns", "Intro.")
    assert passages[1][1].startswith("Print one.")
    assert max(len(text) for _, text in passages) <= 700
