"""Names that a rule cannot have, because reasons that name it would mean something else."""

from adapters.policy.bundle import Bundle
from adapters.policy.stricter import OWN_NAMES
from domain.errors import BundleRefused

RESERVED = OWN_NAMES | {"fail_closed"}


def refuse_reserved(bundle: Bundle) -> None:
    """Raises `BundleRefused`. A level's prefix needs no check: a name has no dot."""
    taken = next((rule.id for rule in bundle.rules if rule.id in RESERVED), None)
    if taken is not None:
        raise BundleRefused(f"rule {taken!r} has the name of a reason that every policy gives. Rename it")
