"""What an OPA server is given: the library named by its digest, and each policy by its version."""

from functools import lru_cache
from typing import NamedTuple

from pydantic import JsonValue

from adapters.policy.bundle import PACKAGE, POLICIES, library
from adapters.policy.bundle import digest as digest_of
from adapters.policy.effective import Effective
from domain.model import Digest


class Module(NamedTuple):
    """Rego that a server loads once; `name` is its id and its package."""

    name: str
    text: str


@lru_cache(maxsize=2)
def module(text: str | None = None) -> Module:
    """The library, or another text of it, with the rule that answers a plan."""
    asked = (POLICIES / "opa" / "plan.rego").read_text(encoding="utf-8")
    whole = f"{(text or library()).removeprefix(PACKAGE)}\n{asked}"
    name = f"countersign_{_hex(digest_of(whole.encode()))[:32]}"
    return Module(name, f"package {name}\n{whole}")


def place(version: Digest) -> str:
    """The key of a policy below `data.countersign_policies`."""
    return f"policy_{_hex(version)}"


def served(policy: Effective) -> dict[str, JsonValue]:
    """What is put there."""
    return {"version": policy.version, "document": dict(policy.document)}


def _hex(digest: Digest) -> str:
    return digest.removeprefix("sha256:")
