"""The helpdesks' tickets and messages. Every new message is announced by a webhook, whoever wrote it."""

import json
import sqlite3
from typing import Any

from emulators.clock import Clock, iso
from emulators.database import Database
from emulators.problems import Refused
from emulators.register import Register
from emulators.tickets import Author, Filing, NewTicket, Opened, Status, Words
from emulators.webhooks import Webhooks

Json = dict[str, Any]
FIRST_TICKET = 1001


class TicketBook:
    """Reads and writes tickets."""

    def __init__(self, database: Database, register: Register, webhooks: Webhooks, clock: Clock) -> None:
        self._database = database
        self._register = register
        self._webhooks = webhooks
        self._clock = clock

    def open(self, new: NewTicket) -> Opened:
        """A given id that exists is answered as it is, so that opening may be repeated."""
        if self._register.brand(new.brand) is None:
            raise Refused(404, "unknown_brand", "There is no such brand")
        with self._database.transaction():
            ticket_id = new.ticket_id or self._free_id(new.brand)
            if self._row(new.brand, ticket_id):
                return Opened(ticket_id, self._first_message(new.brand, ticket_id), created=False)
            self._insert(new, ticket_id)
            copies = 0 if not new.send_webhook else 2 if new.duplicate_delivery else 1
            words = Words(Author.CUSTOMER, new.body, mail_headers=new.mail_headers)
            return Opened(ticket_id, self._store(new.brand, ticket_id, words, copies), created=True)

    def write(self, brand: str, ticket_id: str, words: Words, copies: int = 1) -> str:
        """Adds a message and returns its id. A customer's word opens the ticket again."""
        with self._database.transaction():
            self.ticket(brand, ticket_id)
            if words.author is Author.CUSTOMER:
                self.set_status(brand, ticket_id, Status.OPEN)
            return self._store(brand, ticket_id, words, copies)

    def written_as(self, brand: str, reference: str) -> sqlite3.Row | None:
        """The message a reference was used for."""
        return self._database.one(
            "SELECT * FROM ticket_messages WHERE brand = ? AND reference = ?", brand, reference
        )

    def message(self, brand: str, message_id: str) -> Json:
        return message_json(self._message_row(brand, message_id))

    def _message_row(self, brand: str, message_id: str) -> sqlite3.Row:
        row = self._database.one(
            "SELECT * FROM ticket_messages WHERE brand = ? AND position = ?", brand, int(message_id[1:])
        )
        if row is None:
            raise Refused(404, "unknown_message", "There is no such message")
        return row

    def announce(self, brand: str, ticket_id: str, message_id: str, copies: int = 1) -> None:
        """Tells of a message now, or once more: late, out of order, twice."""
        message = self._message_row(brand, message_id)
        if message["ticket_id"] != ticket_id:
            raise Refused(404, "unknown_message", "There is no such message in this ticket")
        with self._database.transaction():
            self._announce(message, copies)

    def file(self, brand: str, ticket_id: str, filing: Filing) -> Json:
        """Merges a ticket into another one, or calls it spam or not. Announces nothing."""
        self.ticket(brand, ticket_id)
        if filing.merged_into is not None:
            self.ticket(brand, filing.merged_into)
            if filing.merged_into == ticket_id:
                raise Refused(422, "merged_into_itself", "A ticket cannot be merged into itself")
            self._change(brand, ticket_id, "merged_into", filing.merged_into)
        if filing.spam is not None:
            self._change(brand, ticket_id, "spam", str(int(filing.spam)))
        return self.ticket(brand, ticket_id)

    def set_status(self, brand: str, ticket_id: str, status: Status) -> None:
        self._change(brand, ticket_id, "status", status.value)

    def add_tags(self, brand: str, ticket_id: str, tags: list[str]) -> list[str]:
        """Tags keep the order in which they came."""
        together = list(dict.fromkeys([*self.ticket(brand, ticket_id)["tags"], *tags]))
        self._change(brand, ticket_id, "tags", json.dumps(together))
        return together

    def ticket(self, brand: str, ticket_id: str) -> Json:
        """Without its messages."""
        row = self._row(brand, ticket_id)
        if row is None:
            raise Refused(404, "unknown_ticket", "There is no such ticket")
        return ticket_json(row)

    def conversation(self, brand: str, ticket_id: str) -> Json:
        """The ticket with its messages, oldest first."""
        rows = self._database.all(
            "SELECT * FROM ticket_messages WHERE brand = ? AND ticket_id = ? ORDER BY position",
            brand,
            ticket_id,
        )
        return {**self.ticket(brand, ticket_id), "messages": [message_json(row) for row in rows]}

    def tickets(self, brand: str, updated_since: str = "") -> list[Json]:
        """Newest first."""
        rows = self._database.all(
            "SELECT * FROM tickets WHERE brand = ? AND updated_at >= ? ORDER BY position DESC",
            brand,
            updated_since,
        )
        return [ticket_json(row) for row in rows]

    def conversations(self, brand: str) -> list[Json]:
        """All tickets with their messages, newest ticket first, in two queries."""
        messages: dict[str, list[Json]] = {}
        rows = self._database.all("SELECT * FROM ticket_messages WHERE brand = ? ORDER BY position", brand)
        for row in rows:
            messages.setdefault(row["ticket_id"], []).append(message_json(row))
        return [{**ticket, "messages": messages.get(ticket["id"], [])} for ticket in self.tickets(brand)]

    def deliveries(self, brand: str, ticket_id: str | None = None) -> list[Json]:
        """What became of the webhooks."""
        rows = self._database.all(
            "SELECT ticket_id, webhook_id, state, attempts, last_status FROM deliveries"
            " WHERE brand = ? AND ticket_id = coalesce(?, ticket_id) ORDER BY position",
            brand,
            ticket_id,
        )
        return [dict(row) for row in rows]

    def _free_id(self, brand: str) -> str:
        while self._row(brand, number := str(self._database.next_number(f"tickets:{brand}", FIRST_TICKET))):
            continue
        return number

    def _row(self, brand: str, ticket_id: str) -> sqlite3.Row | None:
        return self._database.one("SELECT * FROM tickets WHERE brand = ? AND id = ?", brand, ticket_id)

    def _first_message(self, brand: str, ticket_id: str) -> str:
        row = self._database.one(
            "SELECT min(position) AS first FROM ticket_messages WHERE brand = ? AND ticket_id = ?",
            brand,
            ticket_id,
        )
        return f"m{row['first']}" if row else ""

    def _insert(self, new: NewTicket, ticket_id: str) -> None:
        now = iso(self._clock())
        known = self._database.one(
            "SELECT phone, address FROM customers WHERE brand = ? AND email = ?",
            new.brand,
            new.requester.email,
        )
        requester = new.requester.model_dump()
        for name in ("phone", "address"):
            requester[name] = requester[name] or (known[name] if known else None)
        self._database.run(
            "INSERT INTO tickets VALUES (?, ?, ?, 'open', '[]', ?, ?, ?, ?, NULL, 0)",
            new.brand,
            ticket_id,
            new.subject.strip() or new.body.strip().splitlines()[0][:80],
            json.dumps({"id": f"c{self._database.next_number('requesters', 501)}", **requester}),
            now,
            now,
            self._database.next_number("position:tickets", 1),
        )

    def _store(self, brand: str, ticket_id: str, words: Words, copies: int) -> str:
        now = iso(self._clock())
        cursor = self._database.run(
            "INSERT INTO ticket_messages"
            " (brand, ticket_id, author, body, public, created_at, reference, subject, mail_headers)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            brand,
            ticket_id,
            words.author.value,
            words.body,
            words.public,
            now,
            words.reference,
            words.subject,
            json.dumps(dict(words.mail_headers)),
        )
        self._database.run(
            "UPDATE tickets SET updated_at = ? WHERE brand = ? AND id = ?", now, brand, ticket_id
        )
        message_id = f"m{cursor.lastrowid}"
        self._announce(self._message_row(brand, message_id), copies)
        return message_id

    def _announce(self, message: sqlite3.Row, copies: int) -> None:
        settings = self._register.brand(message["brand"])
        if settings is None or settings.webhook is None:
            return
        payload = {
            "type": "ticket.message_created",
            "ticket_id": message["ticket_id"],
            "message_id": f"m{message['position']}",
            "author": message["author"],
            "public": bool(message["public"]),
            "created_at": message["created_at"],
            **({"reference": message["reference"]} if message["reference"] else {}),
        }
        self._webhooks.announce(message["brand"], message["ticket_id"], payload, copies)

    def _change(self, brand: str, ticket_id: str, column: str, value: str) -> None:
        self._database.run(
            f"UPDATE tickets SET {column} = ?, updated_at = ? WHERE brand = ? AND id = ?",  # noqa: S608 - named above
            value,
            iso(self._clock()),
            brand,
            ticket_id,
        )


def ticket_json(row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "subject": row["subject"],
        "status": row["status"],
        "requester": json.loads(row["requester"]),
        "tags": json.loads(row["tags"]),
        "merged_into": row["merged_into"],
        "spam": bool(row["spam"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def message_json(row: sqlite3.Row) -> Json:
    return {
        "id": f"m{row['position']}",
        "author": row["author"],
        "body": row["body"],
        "public": bool(row["public"]),
        "created_at": row["created_at"],
        "reference": row["reference"],
        "subject": row["subject"],
        "mail_headers": json.loads(row["mail_headers"]),
    }
