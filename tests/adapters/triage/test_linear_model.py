"""What the starter taxonomy makes of texts that are not among its examples."""

import pytest

from adapters.triage.model import LinearModel, classify_call
from adapters.triage.taxonomy import background_examples, starter_taxonomy
from domain.triage import Intent, Priority, Taxonomy, Triage

SURE = 450


@pytest.fixture(scope="module")
def model() -> LinearModel:
    return LinearModel(starter_taxonomy())


IN_SCOPE = [
    ("Where is my order [[ORDER_1_ab12]]?", "order_status", "the plain question"),
    (
        "Hello,\ncould you tell me where my order is?\nThanks a lot for your help",
        "order_status",
        "politeness around",
    ),
    ("My mug [[ORDER_1_ab12]] arrived broken, please refund it.", "refund_request", "a reason and a wish"),
    ("I would like my money back for order [[ORDER_1_ab12]]", "refund_request", "a placeholder"),
    ("when do i get my refund", "refund_status", "no marks at all"),
    ("PLEASE CANCEL MY ORDER", "cancel_order", "capitals"),
    ("I forgot my pasword and cannot log in", "password_reset", "a typing error"),
    ("please send me a copy of the invoice", "invoice_copy", "lower case"),
    ("I lost my card yesterday", "card_problem", "banking"),
    ("How do I delete my account?", "account_deletion", "a how-to"),
    (
        "I have moved. Please change my delivery address to [[ADDRESS_1_ab12]]",
        "change_address",
        "two sentences",
    ),
    ("What does shipping to Norway cost?", "shipping_cost", "an unseen country"),
]


@pytest.mark.parametrize(("text", "intent", "note"), IN_SCOPE, ids=[note for *_, note in IN_SCOPE])
def test_intent_is_found_with_confidence(model: LinearModel, text: str, intent: str, note: str) -> None:
    triage = model.triage("", text)

    assert triage.intent == intent
    assert triage.confidence_permille >= SURE


OUT_OF_SCOPE = [
    "quantum chromodynamics for beginners",
    "my cat sleeps on the warm roof",
    "asdf qwer zxcv",
    "Who won the chess tournament?",
    "the train to the coast leaves at nine",
    "[[PERSON_1_ab12]] [[PHONE_1_ab12]]",
    "🙂🙂🙂",
    "Lorem ipsum dolor sit amet",
    "¿?",
    "1",
    "\u0000\u0001",
    "a" * 30_000,
    "ありがとうございました",
]


@pytest.mark.parametrize("text", OUT_OF_SCOPE)
def test_strange_text_gets_low_confidence(model: LinearModel, text: str) -> None:
    assert model.triage("", text).confidence_permille < SURE


def test_text_without_words_is_the_fallback_without_confidence(model: LinearModel) -> None:
    triage = model.triage("", " \n ")

    assert (triage.intent, triage.queue, triage.confidence_permille) == ("other", "general", 0)


def test_empty_message_is_read_by_its_subject(model: LinearModel) -> None:
    assert model.triage("Where is my order?", "").intent == "order_status"


def test_numbers_of_placeholders_mean_nothing(model: LinearModel) -> None:
    one, other = (model.triage("", f"Where is [[ORDER_{n}]]?") for n in ("1_ab12", "27_zz99"))

    assert one == other


def test_learning_twice_gives_the_same_answer(model: LinearModel) -> None:
    again = LinearModel(starter_taxonomy())

    assert [again.triage("", text) for text, *_ in IN_SCOPE] == [
        model.triage("", text) for text, *_ in IN_SCOPE
    ]


def test_tenants_own_taxonomy_is_learnt() -> None:
    taxonomy = Taxonomy(
        intents=(
            Intent(
                intent="book_a_room",
                queue="rooms",
                priority=Priority.HIGH,
                examples=("I would like a room for two nights", "Do you have a double room free?"),
            ),
            Intent(
                intent="pool_hours",
                queue="desk",
                examples=("When does the pool open?", "Is the pool heated?"),
            ),
        ),
        fallback="unclear",
        fallback_queue="desk",
    )

    answer = classify_call({"text": "a double room please", "taxonomy": taxonomy.model_dump(mode="json")})
    triage = Triage.model_validate(answer)

    assert (triage.intent, triage.queue, triage.priority) == ("book_a_room", "rooms", Priority.HIGH)
    assert triage.classifier != LinearModel(starter_taxonomy()).triage("", "x").classifier


def test_taxonomy_of_one_intent_and_of_none_answer() -> None:
    one = Taxonomy(intents=(Intent(intent="hello", queue="desk", examples=("hello there",)),))

    assert LinearModel(one).triage("", "hello there").intent == "hello"
    assert LinearModel(Taxonomy(intents=())).triage("", "hello there").intent == "other"


def test_starter_taxonomy_has_enough_examples_of_its_own() -> None:
    taxonomy = starter_taxonomy()
    examples = [example for intent in taxonomy.intents for example in intent.examples]

    assert 16 <= len(taxonomy.intents) <= 24
    assert min(len(intent.examples) for intent in taxonomy.intents) >= 12
    assert len({example.lower() for example in examples}) == len(examples)
    assert not set(examples) & set(background_examples())
