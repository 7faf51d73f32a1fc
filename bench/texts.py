"""Plain questions in our own words that Harbour Books' articles answer."""

from collections.abc import Mapping

from cli.demo_data import shop_of

TENANT = "harbour_books"
QUESTIONS = (
    (
        "Returning a novel",
        "Hello, I was given a novel that I have already. How do I return a book, and within how many days?",
    ),
    (
        "Gift wrapping?",
        "Do you wrap books as a gift, and may I add a greeting card with a few words of mine? Best wishes",
    ),
    (
        "E-book on my reader",
        "Good evening, how do I get the EPUB file of an e-book onto my e-reader? I have a cable for it.",
    ),
    (
        "Where is the tracking link",
        "Hi there, how can I track my parcel? Which e-mail has the tracking link in it?\nThank you",
    ),
    (
        "How long does delivery take?",
        "How many working days does delivery take within Germany, and what are the shipping costs?",
    ),
)


def new_ticket(number: int, ticket_id: str) -> Mapping[str, object]:
    """The control door's order for one of them; `number` chooses words and customer."""
    subject, body = QUESTIONS[number % len(QUESTIONS)]
    customers = shop_of(TENANT).customers
    return {
        "brand": TENANT,
        "ticket_id": ticket_id,
        "subject": subject,
        "body": body,
        "requester": customers[number % len(customers)].model_dump(),
    }
