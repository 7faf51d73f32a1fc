"""Which conversations need no answer: answered, automatic, merged, spam, bouncing between systems. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from domain.conversation import Author, Conversation, Message

LOOP_WINDOW = timedelta(hours=1)
# So many messages with the very same words, each after an answer of ours, and nobody is reading.
SAME_WORDS = 3


class NoTurn(StrEnum):
    """Why a wake-up found nobody who waits for an answer."""

    NO_CUSTOMER_MESSAGE = "no_customer_message"
    HAD_ITS_TURN = "had_its_turn"
    ANSWERED_BY_TEAMMATE = "answered_by_teammate"
    AUTOMATIC_MAIL = "automatic_mail"  # out of office, delivery reports, newsletters
    MERGED = "merged"  # it goes on in another ticket
    SPAM = "spam"


# Of these, the ones that end a ticket whatever it waited for.
FINAL = frozenset({NoTurn.MERGED, NoTurn.SPAM})


def no_turn(conversation: Conversation) -> NoTurn | None:
    """What can be told from the conversation alone."""
    if conversation.merged:
        return NoTurn.MERGED
    if conversation.spam:
        return NoTurn.SPAM
    if _answered_by_teammate(conversation):
        return NoTurn.ANSWERED_BY_TEAMMATE
    if conversation.latest_from_customer is None:
        automatic = any(message.automatic for message in conversation.messages)
        return NoTurn.AUTOMATIC_MAIL if automatic else NoTurn.NO_CUSTOMER_MESSAGE
    return None


def is_looping(conversation: Conversation, now: datetime, max_replies_per_hour: int) -> bool:
    """Whether two systems seem to answer each other: many answers of ours, or the same words each time."""
    public = [message for message in conversation.messages if message.public]
    ours = sum(_is_ours(message) and now - message.written_at < LOOP_WINDOW for message in public)
    return ours >= max_replies_per_hour or _repeats(public)


def _repeats(public: list[Message]) -> bool:
    said = [" ".join(message.body.split()).casefold() for message in public if _is_theirs(message)]
    answers = sum(map(_is_ours, public))
    newest = said[-SAME_WORDS:]
    return len(newest) == SAME_WORDS and len(set(newest)) == 1 and answers >= SAME_WORDS - 1


def _answered_by_teammate(conversation: Conversation) -> bool:
    public = [message for message in conversation.messages if message.public and not message.automatic]
    return bool(public) and public[-1].author is Author.TEAMMATE


def _is_ours(message: Message) -> bool:
    return message.author is Author.AUTOMATION


def _is_theirs(message: Message) -> bool:
    return message.author is Author.CUSTOMER
