"""The chain of audit events: its digests, and the program that verifies a copy of it.

Imports nothing of ours, so that an auditor can run it alone: `python -I chain.py COPY --key ID --heads FILE`.
Memory grows with the number of streams, not with their length.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERSION = 1
NOTHING = "sha256:" + "0" * 64  # what the first link and the first head follow
HEAD_PURPOSE = b"countersign audit head 1\n"
COPY_PURPOSE = b"countersign audit copy 1\n"
EVERYTHING = "all"
PROGRESS_EVERY = 100_000

Record = Mapping[str, Any]


def digest(content: object) -> str:
    """SHA-256 over canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def event_digest(event: Record) -> str:
    """`content` is the stored document's own text, so that no number loses a digit."""
    return digest({name: event[name] for name in ("tenant", "id", "kind", "content", "at")})


def link_digest(link: Record) -> str:
    """Binds an event to its place and to everything before it."""
    return digest({name: link[name] for name in ("tenant", "sequence", "event", "previous")})


def stream_digest(tenant: str) -> str:
    """Names a stream to those who know it, and to nobody else."""
    return digest({"stream": tenant})


def entry_digest(head: Record) -> str:
    """What is signed: the state of one stream, and its place in the register of all streams."""
    statement = digest({name: head[name] for name in ("tenant", "first", "last", "count", "link", "at")})
    entry = {name: head[name] for name in ("register", "previous", "after", "key")}
    return digest(entry | {"statement": statement})


def end_digest(end: Record) -> str:
    """What is signed at the end of a copy."""
    return digest({name: end[name] for name in ("scope", "register", "entry", "links", "key")})


def key_id(public: bytes) -> str:
    """The digest of the raw public key."""
    return "sha256:" + hashlib.sha256(public).hexdigest()


def is_signed(public: bytes, purpose: bytes, signed: str, signature: str) -> bool:
    """False for anything but this key's signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature), purpose + signed.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was sealed."""

    attack: str  # edited, deleted, inserted, reordered, truncated, dropped stream, rewritten, forged
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.attack.upper()}  {self.where}: {self.what}"


@dataclass
class Checker:
    """Takes a copy's records in their order: the links of a head, the head, and so on by the register."""

    public: bytes
    scope: str = EVERYTHING
    kept: dict[int, Record] = field(default_factory=dict)  # heads that were kept elsewhere, by register
    links: int = 0
    register: int = 0
    entry: str = NOTHING
    _tails: dict[str, tuple[int, str]] = field(default_factory=dict)
    _batch: list[Record] = field(default_factory=list)
    _holes: list[tuple[int, int, str]] = field(default_factory=list)

    def take(self, record: Record) -> Iterator[Finding]:
        """What is wrong with the next record."""
        if record["type"] == "head":
            yield from self._head(record)
        else:
            self.links += 1
            if self._batch and self._batch[-1]["tenant"] != record["tenant"]:
                yield from self._headless()
            self._batch.append(record)

    def finish(self, streams: Iterable[str] = ()) -> Iterator[Finding]:
        """What can be said at the end only. `streams` are tenants known from elsewhere."""
        yield from self._headless()
        known = {stream_digest(tenant): tenant for tenant in {*streams, *self._tails}}
        for first, last, after in self._holes:
            yield _hole(first, last, known.get(after), self._tails)
        for register, head in sorted(self.kept.items()):
            if self.scope in (EVERYTHING, head["tenant"]):
                yield _lost(register, head, self._tails)

    def end(self, end: Record | None) -> Iterator[Finding]:
        """The last line of a copy says how much there was."""
        if end is None:
            yield Finding("truncated", "copy", "it has no last line, so its end was cut off")
        elif not is_signed(self.public, COPY_PURPOSE, end_digest(end), end["signature"]):
            yield Finding("forged", "copy", "its last line is not signed by this key")
        elif (end["register"], end["entry"], end["links"]) != (self.register, self.entry, self.links):
            yield Finding(
                "truncated",
                "copy",
                f"it was made with {end['links']} links up to register entry {end['register']}, "
                f"and has {self.links} up to {self.register}",
            )

    def _headless(self) -> Iterator[Finding]:
        for link in self._batch:
            yield Finding("inserted", _place(link), "no signed head covers it")
        self._batch = []

    def _head(self, head: Record) -> Iterator[Finding]:
        where = f"register {head['register']} (tenant {head['tenant']})"
        if self._batch and self._batch[-1]["tenant"] != head["tenant"]:
            yield from self._headless()
        authentic = (
            head["key"] == key_id(self.public)
            and entry_digest(head) == head["entry"]
            and is_signed(self.public, HEAD_PURPOSE, head["entry"], head["signature"])
        )
        yield from self._in_register(head, where)
        yield from self._against_kept(head, where)
        if authentic:
            yield from self._batch_under(head)
        else:  # nothing can be held against what it says
            yield Finding("forged", where, "the head is not what this key signed")
            self._follow(head["tenant"])
        self._batch = []

    def _follow(self, tenant: str) -> None:
        if self._batch:
            self._tails[tenant] = self._batch[-1]["sequence"], self._batch[-1]["link"]

    def _in_register(self, head: Record, where: str) -> Iterator[Finding]:
        register = head["register"]
        if register <= self.register:
            yield Finding("reordered", where, f"it stands after entry {self.register}")
        elif self.scope == EVERYTHING and register > self.register + 1:
            self._holes.append((self.register + 1, register - 1, head["after"]))
        elif self.scope == EVERYTHING and head["previous"] != self.entry:
            yield Finding("rewritten", where, "it does not follow the entry before it")
        self.register, self.entry = register, head["entry"]

    def _against_kept(self, head: Record, where: str) -> Iterator[Finding]:
        kept = self.kept.pop(head["register"], None)
        if kept and kept["entry"] != head["entry"]:
            yield Finding("rewritten", where, "another head was kept elsewhere")

    def _batch_under(self, head: Record) -> Iterator[Finding]:
        tenant, batch = head["tenant"], self._batch
        last, previous = self._tails.get(tenant, (0, NOTHING))
        self._tails[tenant] = head["last"], head["link"]
        if head["first"] > last + 1:
            gone = f"tenant {tenant}, sequence {last + 1} to {head['first'] - 1}"
            yield Finding("deleted", gone, "the events are gone together with their signed head")
            previous = batch[0]["previous"] if batch else NOTHING
        found = [*_places(head, batch), *_contents(batch), *_order(head, batch, previous)]
        yield from found
        if not found and (batch[-1]["link"] if batch else previous) != head["link"]:
            covered = f"tenant {tenant}, sequence {head['first']} to {head['last']}"
            yield Finding("rewritten", covered, "the links were made anew; the signed head knows others")


def _places(head: Record, batch: Sequence[Record]) -> Iterator[Finding]:
    """Every place that the head covers must be taken once."""
    taken = Counter(link["sequence"] for link in batch)
    for sequence in range(head["first"], head["last"] + 1):
        if sequence not in taken:
            yield Finding("deleted", f"tenant {head['tenant']}, sequence {sequence}", "its link is gone")
    for link in batch:
        outside = not head["first"] <= link["sequence"] <= head["last"]
        double = taken[link["sequence"]] > 1 and link_digest(link) != link["link"]
        if outside or double:
            yield Finding("inserted", _place(link), "the signed head does not cover it")


def _contents(batch: Sequence[Record]) -> Iterator[Finding]:
    """Every event must be the one that its link was made for."""
    sealed = {link["event"]: link["sequence"] for link in batch}
    for link in batch:
        if link["kind"] is None:
            yield Finding("deleted", _place(link), "the event is gone, its link is still there")
            continue
        found = event_digest(link)
        if found == link["event"]:
            continue
        if found in sealed:
            yield Finding("reordered", _place(link), f"it was sealed as sequence {sealed[found]}")
        else:
            yield Finding("edited", _place(link), "the event is not what was sealed")


def _order(head: Record, batch: Sequence[Record], previous: str) -> Iterator[Finding]:
    """Every link must follow the one before it, and stand where it was made to stand."""
    sequence, sound = head["first"] - 1, True
    for link in batch:
        follows = link["previous"] == previous or not sound or link["sequence"] > sequence + 1
        sound = link_digest(link) == link["link"]
        if not sound:
            yield _misplaced(link, head)
        elif link["sequence"] <= sequence:
            yield Finding("reordered", _place(link), f"it stands after sequence {sequence}")
        elif not follows:
            yield Finding("inserted", _place(link), "it does not follow the link before it")
        sequence, previous = link["sequence"], link["link"]


def _misplaced(link: Record, head: Record) -> Finding:
    for sequence in range(head["first"], head["last"] + 1):
        if link_digest({**link, "sequence": sequence}) == link["link"]:
            return Finding("reordered", _place(link), f"it was sealed as sequence {sequence}")
    return Finding("edited", _place(link), "the link is not what was sealed")


def _place(link: Record) -> str:
    return f"tenant {link['tenant']}, sequence {link['sequence']}, event {link['id']}"


def _hole(first: int, last: int, tenant: str | None, tails: Mapping[str, tuple[int, str]]) -> Finding:
    entries = f"register {first}" if first == last else f"register {first} to {last}"
    if tenant is None:
        return Finding("dropped stream", entries, "signed heads are gone, with a stream nobody here knows")
    if tenant not in tails:
        return Finding("dropped stream", f"tenant {tenant}", f"nothing of it is left; missing: {entries}")
    after = f"after sequence {tails[tenant][0]}"
    return Finding("truncated", f"tenant {tenant}", f"signed heads are gone, the last {after}: {entries}")


def _lost(register: int, head: Record, tails: Mapping[str, tuple[int, str]]) -> Finding:
    tenant, where = head["tenant"], f"tenant {head['tenant']}"
    if tenant not in tails:
        return Finding("dropped stream", where, f"it had {head['last']} events in the head that was kept")
    left = tails[tenant][0]
    if left < head["last"]:
        return Finding("truncated", f"{where}, sequence {left + 1} to {head['last']}", "kept head says so")
    return Finding("deleted", where, f"the kept head {register} (to sequence {head['last']}) is gone")


def kept_heads(lines: Iterable[str], public: bytes) -> dict[int, Record]:
    """Reads what `countersign audit heads` printed. Raises `ValueError` for what this key did not sign."""
    heads = [_record(line) for line in lines if line.strip()]
    for head in heads:
        genuine = entry_digest(head) == head["entry"]
        if not genuine or not is_signed(public, HEAD_PURPOSE, head["entry"], head["signature"]):
            raise ValueError(f"The kept head {head['register']} is not signed by this key")
    return {head["register"]: head for head in heads}


def check_copy(
    lines: Iterable[str], kept: Sequence[str] = (), trusted: str | None = None
) -> Iterator[Finding]:
    """What is wrong with a copy. Raises `ValueError` and `KeyError` where it is none."""
    records = map(_record, lines)
    first = next(records, None)
    if first is None or first.get("type") != "copy" or first["version"] != VERSION:
        raise ValueError("This is no copy of an audit chain that this program can read")
    public = bytes.fromhex(first["public"])
    if trusted not in (None, key_id(public)):
        yield Finding("forged", "copy", f"its key is {key_id(public)}, not the one to be trusted")
    checker = Checker(public, first["scope"], kept_heads(kept, public))
    end = None
    for number, record in enumerate(records, 1):
        if end is not None:
            yield Finding("inserted", "copy", "something follows its last line")
        if record["type"] == "end":
            end = record
        else:
            yield from checker.take(record)
        if number % PROGRESS_EVERY == 0:
            sys.stderr.write(f"{number} records read\n")
    yield from checker.finish()
    yield from checker.end(end)
    sys.stderr.write(f"{checker.links} events, {checker.register} register entries, key {key_id(public)}\n")


def _record(line: str) -> Record:
    record = json.loads(line)
    if not isinstance(record, dict):
        raise TypeError("A line is no record")
    return record


def main() -> int:
    """1 where anything is found, 2 where there is nothing to read."""
    parser = argparse.ArgumentParser(description="Verify a copy of an audit chain.")
    parser.add_argument("copy")
    parser.add_argument("--heads", help="heads that were kept elsewhere, as JSON lines")
    parser.add_argument("--key", help="the id of the key to be trusted")
    asked = parser.parse_args()
    found = 0
    try:
        kept = open(asked.heads, encoding="utf-8").readlines() if asked.heads else []  # noqa: PTH123, SIM115 - a program of one file
        with open(asked.copy, encoding="utf-8") as lines:  # noqa: PTH123 - the same
            for finding in check_copy(lines, kept, asked.key):
                found += 1
                sys.stdout.write(f"{finding}\n")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        sys.stderr.write(f"{asked.copy} cannot be read as a copy of an audit chain: {error!r}\n")
        return 2
    sys.stdout.write("intact\n" if not found else f"{found} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
