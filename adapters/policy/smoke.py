"""Tries every rule of a policy before it is put in force, in a child that may die of it.

Rego is checked when it is evaluated and not when it is loaded, so whatever a rule can provoke shows here
first. Both engines answer each situation, and answer the same.
"""

from adapters.child_process import CallFailed, call_once
from adapters.policy.effective import Effective
from domain.errors import BundleRefused, ChildDied, ChildOverran

MODULE = "adapters.policy.smoke_functions"
DEADLINE_S = 180.0  # on a busy machine; usually a second


async def smoke(policy: Effective, *, deadline_s: float = DEADLINE_S) -> None:
    """Raises `BundleRefused` where an answer is missing, differs between engines, or takes too long."""
    try:
        wrong = await call_once(MODULE, "smoke", {"content": policy.content}, deadline_s=deadline_s)
    except ChildOverran:
        raise BundleRefused(f"its rules were not tried within {deadline_s:.0f} seconds") from None
    except (ChildDied, CallFailed):
        raise BundleRefused("the engine did not survive the trial of its rules") from None
    if wrong is not None:
        raise BundleRefused(str(wrong))
