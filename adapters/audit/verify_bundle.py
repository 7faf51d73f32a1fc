"""Verifies the audit bundle in which it lies: `python verify_bundle.py` or `... --key ID`.

Needs Python 3.11, the package `cryptography`, and nothing of Countersign. Prints what it checked; whatever is
wrong is named, and the exit code is 1.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MANIFEST, SIGNATURE, KEY = "MANIFEST.json", "MANIFEST.sig", "public_key.hex"
HEAD_PURPOSE = b"countersign audit head 1\n"
BUNDLE_PURPOSE = b"countersign audit bundle 1\n"
NOTHING = "sha256:" + "0" * 64
LETS_OUT = ("allow", "sanitize", "approval_needed")
SETTLED = ("confirmed", "failed", "unknown", "withdrawn", "compensated", "settled")
UNTRIED = ("intended", "withdrawn")

Row = Mapping[str, Any]


def sha256(content: bytes) -> str:
    """As digests are written everywhere."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def canonical(content: object) -> bytes:
    """Sorted JSON without white space."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def without_nulls(content: Any) -> Any:
    """A field that holds nothing is no part of a digest."""
    if isinstance(content, dict):
        return {name: without_nulls(value) for name, value in content.items() if value is not None}
    return [without_nulls(value) for value in content] if isinstance(content, list) else content


def is_signed(public: bytes, purpose: bytes, signed: str, signature: str) -> bool:
    """False for anything but this key's signature."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(bytes.fromhex(signature), purpose + signed.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


class Bundle:
    """The files, and what is said about them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.public = bytes.fromhex(self.read(KEY).decode("ascii"))

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        return (self.folder / name).read_bytes()

    def rows(self, name: str) -> list[Row]:
        """The records of a JSON file."""
        rows = json.loads(self.read(name))
        if not isinstance(rows, list):
            raise TypeError(f"{name} holds no list")
        return rows

    def chain(self) -> list[Row]:
        """The segment of the tenant's chain."""
        return [json.loads(line) for line in self.read("chain.jsonl").splitlines()]

    def events(self) -> list[Row]:
        """The ticket's own events, contents opened."""
        own = [line for line in self.chain() if line["type"] == "link" and "id" in line]
        return [{**line, "content": json.loads(line["content"])} for line in own]


def check_manifest(bundle: Bundle) -> Iterator[str]:
    """Every file is the one that was exported, and there is no other."""
    content = bundle.read(MANIFEST)
    if not is_signed(bundle.public, BUNDLE_PURPOSE, sha256(content), bundle.read(SIGNATURE).decode("ascii")):
        yield f"{MANIFEST} is not signed by the bundle's key"
    listed: dict[str, str] = json.loads(content)["files"]
    unlisted = {MANIFEST, SIGNATURE}
    there = {str(p.relative_to(bundle.folder).as_posix()) for p in bundle.folder.rglob("*") if p.is_file()}
    for name in sorted(listed.keys() | there - unlisted):
        if name not in listed:
            yield f"{name} is not in the manifest"
        elif name not in there:
            yield f"{name} is missing"
        elif sha256(bundle.read(name)) != listed[name]:
            yield f"{name} is not what was exported"


def check_chain(bundle: Bundle) -> Iterator[str]:
    """The ticket's events stand in the tenant's chain, under signed heads."""
    batch: list[Row] = []
    last, tail = 0, NOTHING
    for record in bundle.chain():
        if record["type"] == "link":
            batch.append(record)
            continue
        continues = record["first"] == last + 1
        yield from _under_head(bundle.public, record, batch, tail if continues else None)
        batch, last, tail = [], record["last"], record["link"]
    if batch:
        yield f"Chain: sequence {batch[0]['sequence']} and what follows stand under no head"


def _under_head(public: bytes, head: Row, batch: Sequence[Row], tail: str | None) -> Iterator[str]:
    place = f"sequence {head['first']} to {head['last']}"
    statement = sha256(
        canonical({name: head[name] for name in ("tenant", "first", "last", "count", "link", "at")})
    )
    named = {name: head[name] for name in ("register", "previous", "after", "key")}
    entry = sha256(canonical(named | {"statement": statement}))
    genuine = entry == head["entry"] and head["key"] == sha256(public)
    if not genuine or not is_signed(public, HEAD_PURPOSE, head["entry"], head["signature"]):
        yield f"Chain: the head of {place} is not signed by the bundle's key"
        return
    sequences = [link["sequence"] for link in batch]
    if sequences != list(range(head["first"], head["last"] + 1)):
        yield f"Chain: {place} is not complete: events were removed, added or moved"
        return
    for link in batch:
        yield from _link(link, tail)
        tail = link["link"]
    if tail != head["link"]:
        yield f"Chain: {place} does not end in what the head signed"


def _link(link: Row, tail: str | None) -> Iterator[str]:
    where = f"Chain: sequence {link['sequence']}"
    if "id" in link:
        event = {name: link[name] for name in ("tenant", "id", "kind", "content", "at")}
        if sha256(canonical(event)) != link["event"]:
            yield f"{where} (event {link['id']}) is not the event that was sealed"
    made = {name: link[name] for name in ("tenant", "sequence", "event", "previous")}
    if sha256(canonical(made)) != link["link"] or tail not in (None, link["previous"]):
        yield f"{where} does not follow the link before it"


def check_decisions(bundle: Bundle) -> Iterator[str]:
    """Each decision is bound to its complete input, and to a policy whose content is here."""
    for row in bundle.rows("decisions.json"):
        where = f"Decision {row['id']}"
        if sha256(canonical(without_nulls(row["input"]))) != row["input_digest"]:
            yield f"{where}: its input is not the one it was made from"
        if row["input"]["action"]["digest"] != row["action_digest"]:
            yield f"{where}: it is about another action than its input"
        policy = bundle.folder / "policies" / f"{row['policy_version'].removeprefix('sha256:')}.json"
        if not policy.is_file():
            yield f"{where}: its policy {row['policy_version']} is not in the bundle"
    for path in sorted((bundle.folder / "policies").glob("*.json")):
        if sha256(path.read_bytes()) != f"sha256:{path.stem}":
            yield f"Policy {path.name} is not what its version names"


def check_approvals(bundle: Bundle) -> Iterator[str]:
    """Each approval asks about a decided action, each vote about what was asked; seals are in the chain."""
    decisions = {row["id"]: row for row in bundle.rows("decisions.json")}
    closed = _by(bundle.events(), "approval")
    for row in bundle.rows("approvals.json"):
        where = f"Approval {row['id']}"
        decision = decisions.get(row["decision_id"])
        if decision is None:
            yield f"{where}: there is no decision {row['decision_id']}"
        elif decision["action_digest"] != row["action_digest"]:
            yield f"{where}: it asked about another action than was decided"
        if sha256(canonical(without_nulls(row["request"]["proposed"]))) != row["action_digest"]:
            yield f"{where}: what was shown is not what its digest names"
        for vote in row["votes"]:
            if (vote["action_digest"], vote["revision"]) != (row["action_digest"], row["revision"]):
                yield f"{where}: the vote of {vote['principal_id']} is about something else"
        seals = {
            event["content"]["seal"] for event in closed.get(row["id"], ()) if "seal" in event["content"]
        }
        if row["status"] == "approved" and row["seal"] not in seals:
            yield f"{where}: the chain knows no such seal"


def check_effects(bundle: Bundle) -> Iterator[str]:
    """Nothing left without a decision that allows it, and an approval where one was needed."""
    decisions = {row["id"]: row for row in bundle.rows("decisions.json")}
    approvals = {row["id"]: row for row in bundle.rows("approvals.json")}
    moves = _by(bundle.events(), "effect")
    for row in bundle.rows("effects.json"):
        where = f"Effect {row['id']}"
        decision = decisions.get(row["decision_id"])
        if sha256(canonical(without_nulls(row["proposed"]))) != row["digest"]:
            yield f"{where}: what was proposed is not what its digest names"
        if decision is None:
            yield f"{where}: there is no decision {row['decision_id']}"
        elif row["state"] not in UNTRIED:
            yield from _allowed(where, row, decision, approvals)
            yield from _let_out(where, row, decisions)
        yield from _recorded(where, row, moves.get(row["id"], ()))


def _allowed(where: str, row: Row, decision: Row, approvals: Mapping[str, Row]) -> Iterator[str]:
    if decision["action_digest"] != row["digest"]:
        yield f"{where}: its decision is about another action"
    if decision["verdict"] not in LETS_OUT:
        yield f"{where}: its decision says {decision['verdict']}"
    if decision["verdict"] == "approval_needed" or row["approval_id"]:
        approval = approvals.get(row["approval_id"] or "")
        if approval is None or approval["status"] != "approved":
            yield f"{where}: it needed an approval and has none"
        elif approval["action_digest"] != row["digest"]:
            yield f"{where}: its approval is about another action"
        elif [use["effect_id"] for use in approval["uses"]] != [row["id"]]:
            yield f"{where}: its approval was not used for it, once"


def _let_out(where: str, row: Row, decisions: Mapping[str, Row]) -> Iterator[str]:
    """By the policy of that moment. Effects from before it was asked name no such decision."""
    named = row.get("let_out_by")
    if named is None:
        return
    gate = decisions.get(named)
    if gate is None:
        yield f"{where}: there is no decision {named}"
    elif (gate["effect_id"], gate["action_digest"]) != (row["id"], row["digest"]):
        yield f"{where}: the decision that let it out is about something else"
    elif gate["verdict"] not in LETS_OUT:
        yield f"{where}: the decision that let it out says {gate['verdict']}"


def _recorded(where: str, row: Row, events: Sequence[Row]) -> Iterator[str]:
    if row["state"] not in SETTLED:
        return
    told = [event for event in events if event["kind"] == f"effect_{row['state']}"]
    if not told:
        yield f"{where}: the chain does not know that it is {row['state']}"
    elif told[-1]["content"].get("receipt") not in (None, row["receipt_id"]):
        yield f"{where}: the chain knows another receipt"


def check_runs(bundle: Bundle) -> Iterator[str]:
    """A run that was archived is there and, byte for byte, the one whose digest is in the chain."""
    archived = _by([event for event in bundle.events() if event["kind"] == "history_archived"], "run")
    for run in sorted(archived.keys() - {row["run_id"] for row in bundle.rows("runs.json")}):
        yield f"Run {run} was archived and is not in the bundle"
    for row in bundle.rows("runs.json"):
        events = archived.get(row["run_id"], ())
        if row["file"] and events and sha256(bundle.read(row["file"])) != events[-1]["content"]["digest"]:
            yield f"Run {row['run_id']} is not the one that was archived"


def _by(events: Sequence[Row], name: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for event in events:
        if name in event["content"]:
            found.setdefault(str(event["content"][name]), []).append(event)
    return found


CHECKS = (
    ("every file is what was exported", check_manifest),
    ("the ticket's events stand in the signed chain", check_chain),
    ("decisions are bound to their inputs and policies", check_decisions),
    ("approvals and votes are about what was shown", check_approvals),
    ("no effect without a decision and, where needed, an approval", check_effects),
    ("archived runs are what was archived", check_runs),
)


def main() -> int:
    """1 where anything is wrong."""
    parser = argparse.ArgumentParser(description="Verify the audit bundle in this folder.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", help="the id of the key to be trusted, as the operator publishes it")
    asked = parser.parse_args()
    wrong = 0
    try:
        bundle = Bundle(asked.folder)
        key = sha256(bundle.public)
        if asked.key and asked.key != key:
            wrong += 1
            sys.stdout.write(f"WRONG  the bundle's key is {key}, not the one to be trusted\n")
    except (OSError, ValueError) as error:
        sys.stdout.write(f"WRONG  the public key cannot be read: {error}\n")
        return 1
    for promise, check in CHECKS:
        found = _found(check, bundle)
        wrong += len(found)
        sys.stdout.writelines(f"WRONG  {sentence}\n" for sentence in found)
        if not found:
            sys.stdout.write(f"ok     {promise}\n")
    sys.stdout.write(f"{f'{wrong} things are wrong' if wrong else 'The bundle is intact'}; signed by {key}\n")
    return 1 if wrong else 0


def _found(check: Any, bundle: Bundle) -> list[str]:
    try:
        return list(check(bundle))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return [f"{re.sub('_', ' ', check.__name__)}: a file cannot be read ({error!r})"]


if __name__ == "__main__":
    sys.exit(main())
