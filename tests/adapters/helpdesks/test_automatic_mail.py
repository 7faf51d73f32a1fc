"""Machines are told from people by what mail systems say of themselves."""

import pytest

from adapters.helpdesks.automatic_mail import is_automatic


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"auto-submitted": "Auto-Generated; owner-email=x"},
        {"Precedence": "bulk"},
        {"X-Autoreply": "yes"},
        {"Return-Path": "<>"},
        {"List-Id": "news"},
        {"Content-Type": "multipart/report; report-type=delivery-status"},
    ],
)
def test_headers_of_machines(headers: dict[str, str]) -> None:
    assert is_automatic(headers, "", "Hello")


@pytest.mark.parametrize(
    "headers", [{}, {"Auto-Submitted": "no"}, {"Precedence": "normal"}, {"Return-Path": "<a@b.example>"}]
)
def test_headers_of_people(headers: dict[str, str]) -> None:
    assert not is_automatic(headers, "Where is my order?", "Hello")


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Automatic reply: Your order", "I am away."),
        ("Out of Office: Re: order", "Back on Monday"),
        ("Undeliverable: your message", "The address does not exist"),
        ("", "This is an automated response. I am travelling."),
        ("Abwesenheitsnotiz", "Ich bin nicht da."),
        ("Undelivered Mail Returned to Sender", "I am sorry"),
    ],
)
def test_mail_that_calls_itself_automatic(subject: str, body: str) -> None:
    assert is_automatic({}, subject, body)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Delivery", "I am out of the office until Friday, please deliver on Saturday."),
        ("Your automatic reply did not help", "I got an automated reply and still have no refund."),
        ("Office chair", "It is out of order."),
        ("Refund", "I only get mails saying 'this is an automated message' and nobody refunds me."),
        ("Re: order", "Please refund me.\n\nOn Tuesday you wrote:\n> This is an automated reply."),
        ("Out of office chairs?", "When do you have them again?"),
    ],
)
def test_people_who_mention_machines_and_holidays(subject: str, body: str) -> None:
    assert not is_automatic({}, subject, body)
