"""Each attack on the chain is found and named, in the tables and in a copy of them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from adapters.audit import chain
from adapters.audit.chain import COPY_PURPOSE, event_digest, link_digest
from adapters.embedded.postgres import PostgresServer
from adapters.postgres.tenant_registry import TenantRegistry
from tests.adapters.audit.chained import a_copy, attacking, findings, happen, seal
from tests.conftest import Databases, a_tenant

PARTS = {
    "of": "tenant_id = :tenant and sequence",
    "event_4": "(select event_id from audit_links where tenant_id = :tenant and sequence = 4)",
    "event_5": "(select event_id from audit_links where tenant_id = :tenant and sequence = 5)",
}

# Statements as a superuser with all triggers off; what must be found, and where.
LIVE = {
    "edited": (
        ["update audit_events set content = '{{}}' where tenant_id = :tenant and id = {event_4}"],
        "sequence 4",
    ),
    "deleted": (
        ["delete from audit_events where tenant_id = :tenant and id = {event_4}"],
        "sequence 4",
    ),
    "deleted with its link": (
        [
            "delete from audit_events where tenant_id = :tenant and id = {event_4}",
            "delete from audit_links where {of} = 4",
        ],
        "sequence 4",
    ),
    "deleted in the middle with its head": (
        [
            "delete from audit_links where {of} between 4 and 6",
            "delete from audit_heads where tenant_id = :tenant and first_sequence = 4",
        ],
        "sequence 4 to 6",
    ),
    "inserted": (
        [
            (
                "insert into audit_events (tenant_id, kind, content, at) values (:tenant, 'forged', '{{}}',"
                " now() - interval '2 hours')"
            )
        ],
        "event ",
    ),
    "inserted with a link": (
        [
            (
                "insert into audit_links select tenant_id, 99, gen_random_uuid(), event_digest, link, link"
                " from audit_links where {of} = 9"
            )
        ],
        "sequence 99",
    ),
    "reordered": (
        [
            "update audit_links set sequence = -sequence where {of} in (4, 5)",
            "update audit_links set sequence = 9 + sequence where {of} in (-4, -5)",
        ],
        "sequence 4",
    ),
    "reordered events": (
        [
            "create temporary table was on commit drop as select * from audit_links",
            "update audit_links set event_id = gen_random_uuid() where {of} = 4",
            (
                "update audit_links l set event_id = w.event_id from was w where l.tenant_id = :tenant"
                " and l.sequence = 5 and w.tenant_id = :tenant and w.sequence = 4"
            ),
            (
                "update audit_links l set event_id = w.event_id from was w where l.tenant_id = :tenant"
                " and l.sequence = 4 and w.tenant_id = :tenant and w.sequence = 5"
            ),
        ],
        "sequence 4",
    ),
    "truncated": (
        [
            "delete from audit_links where {of} > 6",
            "delete from audit_heads where tenant_id = :tenant and last_sequence > 6",
        ],
        "after sequence 6",
    ),
    "dropped stream": (
        [
            "delete from audit_events where tenant_id = :tenant",
            "delete from audit_links where tenant_id = :tenant",
            "delete from audit_heads where tenant_id = :tenant",
        ],
        "nothing of it is left",
    ),
    "forged": (
        ["update audit_heads set count = 7 where tenant_id = :tenant and first_sequence = 4"],
        "register ",
    ),
}


@pytest.fixture
async def chained(databases: Databases, registry: TenantRegistry) -> UUID:
    """Nine events under three heads, and another stream after them."""
    tenant, other = await a_tenant(registry), await a_tenant(registry)
    await seal(databases)
    start = await _length(databases, tenant)
    await happen(databases, tenant, 9 - start)
    await seal(databases, batch=3)
    await happen(databases, other, 1)
    await seal(databases)
    return tenant


async def _length(databases: Databases, tenant: UUID) -> int:
    count = text("select count(*) from audit_links where tenant_id = :tenant")
    async with databases.sealer.across_tenants() as session:
        return int((await session.execute(count, {"tenant": tenant})).scalar_one())


@pytest.mark.parametrize("attack", LIVE)
async def test_an_attack_on_the_tables_is_named(postgres: PostgresServer, chained: UUID, attack: str) -> None:
    statements, place = LIVE[attack]

    async with attacking(postgres.admin_url) as session:
        for statement in statements:
            await session.execute(text(statement.format(**PARTS)), {"tenant": chained})
        # The insertion happened long ago: what is young may simply not be sealed yet.
        found = await findings(session, tenants=[str(chained)])

    named = [finding for finding in found if attack.startswith(finding.attack)]
    assert named, found
    assert any(place in f"{finding}" for finding in named), found
    if attack not in ("deleted in the middle with its head", "truncated"):  # here the register tells too
        assert {finding.attack for finding in found} <= {named[0].attack, "rewritten"}, found


async def test_without_an_attack_nothing_is_found(postgres: PostgresServer, chained: UUID) -> None:
    async with attacking(postgres.admin_url) as session:
        assert await findings(session, tenants=[str(chained)]) == []


async def test_a_head_kept_elsewhere_finds_what_was_cut_off_everywhere(
    databases: Databases, postgres: PostgresServer, chained: UUID
) -> None:
    """Events, links and the newest heads gone: the tables alone are a chain that is merely shorter."""
    await happen(databases, chained, 2)
    await seal(databases)
    kept = [line for line in await a_copy(databases, chained) if '"type":"head"' in line]
    cut = [
        "delete from audit_events where id in (select event_id from audit_links where {of} > 9)",
        "delete from audit_links where {of} > 9",
        "delete from audit_heads where tenant_id = :tenant and first_sequence > 9",
    ]

    async with attacking(postgres.admin_url) as session:
        for statement in cut:
            await session.execute(text(statement.format(**PARTS)), {"tenant": chained})
        without = await findings(session)
        found = await findings(session, kept)

    assert without == []
    assert [f"{finding.attack} {finding.where}" for finding in found] == [
        f"truncated tenant {chained}, sequence 10 to 11"
    ]


async def test_kept_heads_of_another_key_are_refused(databases: Databases, chained: UUID) -> None:
    kept = [line for line in await a_copy(databases, chained) if '"type":"head"' in line]
    forged = [json.dumps(json.loads(kept[0]) | {"signature": "00" * 64})]

    async with databases.sealer.across_tenants() as session:
        with pytest.raises(ValueError, match="is not signed by this key"):
            await findings(session, forged)


# --- a copy, verified by a program that imports nothing of ours --------------------------------------


Lines = list[dict[str, Any]]


def _mine(lines: Lines, tenant: UUID, kind: str) -> list[int]:
    return [at for at, line in enumerate(lines) if line["type"] == kind and line["tenant"] == str(tenant)]


def edit(lines: Lines, tenant: UUID) -> None:
    lines[_mine(lines, tenant, "link")[3]]["content"] = "{}"


def edit_with_new_digests(lines: Lines, tenant: UUID) -> None:
    """Whoever edits can make every digest anew; what they cannot make is the signature."""
    links = [lines[at] for at in _mine(lines, tenant, "link")]
    links[3]["content"], previous = "{}", links[3]["previous"]
    for link in links[3:]:
        link["event"] = event_digest(link)
        link["previous"] = previous
        link["link"] = previous = link_digest(link)


def delete(lines: Lines, tenant: UUID) -> None:
    del lines[_mine(lines, tenant, "link")[3]]


def insert(lines: Lines, tenant: UUID) -> None:
    at = _mine(lines, tenant, "link")[3]
    lines.insert(at, lines[at] | {"kind": "forged", "id": str(tenant)})
    lines[at]["event"] = event_digest(lines[at])


def reorder(lines: Lines, tenant: UUID) -> None:
    one, two = _mine(lines, tenant, "link")[3:5]
    lines[one], lines[two] = lines[two], lines[one]


def truncate(lines: Lines, tenant: UUID) -> None:
    for at in reversed([*_mine(lines, tenant, "link")[6:], _mine(lines, tenant, "head")[-1]]):
        lines.pop(at)
    lines.sort(key=lambda line: line["type"] == "end")


def truncate_everything_after(lines: Lines, tenant: UUID) -> None:
    del lines[_mine(lines, tenant, "head")[1] + 1 : -1]


def cut_off(lines: Lines, tenant: UUID) -> None:
    del lines[-1]


def drop_stream(lines: Lines, tenant: UUID) -> None:
    lines[:] = [line for line in lines if line.get("tenant") != str(tenant)]


def forge(lines: Lines, tenant: UUID) -> None:
    lines[_mine(lines, tenant, "head")[1]]["count"] = 2


OFFLINE: dict[str, tuple[Callable[[Lines, UUID], None], str]] = {
    "edit": (edit, "EDITED  tenant {}, sequence 4, event"),
    "edit with new digests": (edit_with_new_digests, "REWRITTEN  tenant {}, sequence 4 to 6"),
    "delete": (delete, "DELETED  tenant {}, sequence 4:"),
    "insert": (insert, "INSERTED  tenant {0}, sequence 4, event {0}"),
    "reorder": (reorder, "REORDERED  tenant {}, sequence 4, event"),
    "truncate": (truncate, "TRUNCATED  tenant {}: signed heads are gone, the last after sequence 6"),
    "truncate everything after": (truncate_everything_after, "TRUNCATED  copy: it was made with"),
    "cut off": (cut_off, "TRUNCATED  copy: it has no last line"),
    "drop a stream": (drop_stream, "DROPPED STREAM  register"),
    "forge": (forge, "FORGED  register"),
}


def _verified(tmp_path: Path, lines: Lines, *options: str) -> subprocess.CompletedProcess[str]:
    copy = tmp_path / "copy.jsonl"
    copy.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    program = [sys.executable, "-I", chain.__file__, str(copy), *options]
    return subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603 - our own program


@pytest.mark.parametrize("attack", OFFLINE)
async def test_an_attack_on_a_copy_is_named_offline(
    databases: Databases, tmp_path: Path, chained: UUID, attack: str
) -> None:
    lines = [json.loads(line) for line in await a_copy(databases)]
    change, sentence = OFFLINE[attack]
    change(lines, chained)

    done = _verified(tmp_path, lines)

    assert done.returncode == 1, done
    assert sentence.format(chained) in done.stdout, done.stdout


async def test_a_whole_copy_is_intact(databases: Databases, tmp_path: Path, chained: UUID) -> None:
    lines = [json.loads(line) for line in await a_copy(databases)]

    done = _verified(tmp_path, lines, "--key", lines[0]["key"])

    assert (done.returncode, done.stdout) == (0, "intact\n"), done


async def test_a_copy_of_one_tenant_is_intact_and_names_nobody_else(
    databases: Databases, tmp_path: Path, chained: UUID
) -> None:
    lines = [json.loads(line) for line in await a_copy(databases, chained)]

    done = _verified(tmp_path, lines)

    assert (done.returncode, done.stdout) == (0, "intact\n"), done
    assert {line["tenant"] for line in lines[1:-1]} == {str(chained)}


async def test_a_copy_signed_by_somebody_else_is_not_trusted(
    databases: Databases, tmp_path: Path, chained: UUID
) -> None:
    lines = [json.loads(line) for line in await a_copy(databases)]

    done = _verified(tmp_path, lines, "--key", "sha256:" + "0" * 64)

    assert done.returncode == 1
    assert "FORGED  copy: its key is" in done.stdout


@pytest.mark.parametrize("content", ["", "no JSON\n", '{"type":"copy"}\n', "[1]\n"])
def test_what_is_no_copy_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_text(content, encoding="utf-8")

    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", chain.__file__, str(copy)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "cannot be read as a copy" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_end_of_a_copy_has_a_purpose_of_its_own() -> None:
    assert COPY_PURPOSE != chain.HEAD_PURPOSE
