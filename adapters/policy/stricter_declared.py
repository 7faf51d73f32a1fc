"""Whether what a level declares refuses as much as before: its agents, its actions and their arguments."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from adapters.policy.bundle import Agent, Bundle, DeclaredAction
from adapters.policy.primitives._base import Eased

BANDS = ("low", "medium", "high")
COMPARED_OF_AGENTS = frozenset({"permission_level", "parent", "actions"})
COMPARED_OF_ACTIONS = frozenset({"band", "description", "arguments", "amount"})
COMPARED_OF_ARGUMENTS = frozenset({"type", "optional", "values", "least", "most"})


def eased_agents(before: Bundle, after: Bundle) -> Iterator[Eased]:
    """Agents and chains that were refused and may not be any more."""
    if before.agents is None:
        if after.agents and after.max_chain > 1 and any(agent.parent for agent in after.agents.values()):
            yield Eased("agents may now be sent by others")
        return
    if after.agents is None:
        yield Eased("agents are no longer registered")
        return
    if after.max_chain > before.max_chain:
        yield Eased(f"max_chain rises from {before.max_chain} to {after.max_chain}")
    for name, agent in after.agents.items():
        known = before.agents.get(name)
        if known is None:
            yield Eased(f"agent {name!r} is new")
            continue
        yield from (Eased(f"agent {name!r} {each.what}", each.proven) for each in _eased_agent(known, agent))


def _eased_agent(before: Agent, after: Agent) -> Iterator[Eased]:
    if before.parent != after.parent:
        yield Eased("comes from another parent", proven=False)
    if before.permission_level is not after.permission_level:
        # Whoever claims the new level was refused as a forger.
        levels = f"{before.permission_level.value} to {after.permission_level.value}"
        yield Eased(f"goes from permission level {levels}", proven=False)
    if before.actions is not None:
        more = None if after.actions is None else sorted({*after.actions} - {*before.actions})
        if more is None:
            yield Eased("has no scope any more")
        elif more:
            yield Eased(f"may also do {more[0]!r}")
    for name in sorted(set(Agent.model_fields) - COMPARED_OF_AGENTS):
        if getattr(before, name) != getattr(after, name):
            yield Eased(f"has another {name}", proven=False)


def eased_actions(before: Bundle, after: Bundle, actions: frozenset[str]) -> Iterator[Eased]:
    """Arguments that were refused and may not be any more; of the actions that both policies know."""
    for name, action in before.actions.items():
        if name not in actions:
            continue
        kept = after.actions.get(name)
        if kept is None:
            yield Eased(f"the arguments of {name!r} are no longer checked")
            continue
        yield from _eased_arguments(name, action, kept)
        for part in sorted(set(DeclaredAction.model_fields) - COMPARED_OF_ACTIONS):
            if getattr(action, part) != getattr(kept, part):
                yield Eased(f"action {name!r} has another {part}", proven=False)


def _eased_arguments(name: str, before: DeclaredAction, after: DeclaredAction) -> Iterator[Eased]:
    for argument in sorted({*before.arguments} | {*after.arguments}):
        was, is_ = before.arguments.get(argument), after.arguments.get(argument)
        said = f"argument {argument!r} of {name!r}"
        if was is None:
            yield Eased(f"{said} is new")
        elif is_ is not None:
            easings = _eased_argument(was.compiled(), is_.compiled())
            yield from (Eased(f"{said} {each.what}", each.proven) for each in easings)
        elif not was.optional:
            yield Eased(f"{said} is no longer wanted")


def _eased_argument(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> Iterator[Eased]:
    if before["type"] != after["type"]:
        yield Eased("has another type", proven=False)
    if after["optional"] and not before["optional"]:
        yield Eased("may be left out")
    if not _only(before.get("values"), after.get("values")):
        yield Eased("may have other values")
    if not _within(before.get("least"), after.get("least"), sign=1):
        yield Eased("may be less")
    if not _within(before.get("most"), after.get("most"), sign=-1):
        yield Eased("may be more")
    for part in sorted(({*before} | {*after}) - COMPARED_OF_ARGUMENTS):
        if before.get(part) != after.get(part):
            yield Eased(f"has another {part}", proven=False)


def _only(wide: JsonValue, narrow: JsonValue) -> bool:
    if wide is None:
        return True
    return isinstance(wide, list) and isinstance(narrow, list) and {*map(str, narrow)} <= {*map(str, wide)}


def _within(before: JsonValue, after: JsonValue, *, sign: int) -> bool:
    """Whether a bound is kept: from below (1) or from above (-1). None bounds nothing."""
    if before is None:
        return True
    return isinstance(before, int) and isinstance(after, int) and sign * before <= sign * after
