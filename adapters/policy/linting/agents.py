"""The chain of agents: missing parents, circles, too many links, and who may do more than their parent."""

from collections.abc import Iterator, Mapping

from adapters.policy.bundle import Agent, Bundle, Level
from adapters.policy.linting._finding import Finding, FindingCode
from adapters.policy.linting._levels import Levels, of_file
from domain.decision import PermissionLevel

LONGEST_FOLLOWED = 50  # max_chain is at most 10
RANK = {level: rank for rank, level in enumerate(PermissionLevel)}


def findings(levels: Levels) -> Iterator[Finding]:
    """In the order of the files."""
    registries = [(level, bundle) for level, bundle in levels.files if bundle.agents is not None]
    for level, bundle in registries:
        for name, agent in (bundle.agents or {}).items():
            yield from _agent(levels, level, bundle, name, agent)
    for level, bundle in registries:
        for other, theirs in registries:
            missing = sorted({*(bundle.agents or ())} - {*(theirs.agents or ())})
            if other is not level and missing:
                yield of_file(
                    level,
                    FindingCode.AGENT_NOT_IN_LEVEL,
                    f"Agent {missing[0]!r} is not registered by the {other}'s policy, so it may do nothing",
                    f"register it there too, or leave `agents` out of the {other}'s file",
                    "agents",
                    missing[0],
                )
    yield from _named(levels)


def _named(levels: Levels) -> Iterator[Finding]:
    known = {name for _, bundle in levels.files for name in bundle.agents or ()}
    for each in levels.rules:
        for name in each.rule.when.agents or ():
            if known and name not in known:
                yield each.says(
                    FindingCode.AGENT_UNKNOWN,
                    f"Rule {each.name!r} is about agent {name!r}, which is not registered",
                    f"use one of {', '.join(sorted(known))}",
                    "when",
                    "agents",
                )


def _agent(levels: Levels, level: Level, bundle: Bundle, name: str, agent: Agent) -> Iterator[Finding]:
    for action in agent.actions or ():
        if action not in levels.bands:
            what = f"Agent {name!r} may do {action!r}, which nobody declares"
            yield _says(level, name, FindingCode.ACTION_UNKNOWN, what, "declare it, or mend its name")
    registered = bundle.agents or {}
    parent = registered.get(agent.parent or "")
    if parent is not None:
        yield from _chain(level, bundle, name)
        yield from _widens(levels, level, name, agent, parent)
    elif agent.parent is not None:
        what = f"Agent {name!r} is sent by {agent.parent!r}, which is not registered"
        mend = "register the parent, or mend its name"
        yield _says(level, name, FindingCode.AGENT_PARENT_UNKNOWN, what, mend)


def _says(level: Level, name: str, code: FindingCode, sentence: str, suggestion: str) -> Finding:
    return of_file(level, code, sentence, suggestion, "agents", name)


def _chain(level: Level, bundle: Bundle, name: str) -> Iterator[Finding]:
    length = _length(name, bundle.agents or {})
    if length is None:
        what = f"Agent {name!r} is sent by agents that send each other in a circle"
        yield _says(level, name, FindingCode.AGENT_CHAIN_CYCLIC, what, "let one of them have no parent")
    elif length > bundle.max_chain:
        what = f"The chain to agent {name!r} has {length} agents, and max_chain is {bundle.max_chain}"
        yield _says(
            level, name, FindingCode.AGENT_CHAIN_TOO_DEEP, what, "raise max_chain, or shorten the chain"
        )


def _widens(levels: Levels, level: Level, name: str, agent: Agent, parent: Agent) -> Iterator[Finding]:
    if RANK[agent.permission_level] > RANK[parent.permission_level]:
        what = f"Agent {name!r} may do more than {agent.parent!r}, which sends it, so it may do nothing"
        yield _says(level, name, FindingCode.AGENT_WIDENS, what, "lower its permission_level")
    wider = sorted({*(agent.actions or ())} - {*(parent.actions or levels.bands)})
    if wider:
        what = f"Agent {name!r} may do {wider[0]!r}, and {agent.parent!r}, which sends it, may not"
        mend = "take it out of its actions, or give it to its parent"
        yield _says(level, name, FindingCode.AGENT_SCOPE_WIDENS, what, mend)


def _length(name: str, registered: Mapping[str, Agent]) -> int | None:
    """How many agents the chain has that ends with it, as far as it is followed; None for a circle."""
    seen = [name]
    while (parent := registered[seen[-1]].parent) is not None and parent in registered:
        if parent in seen:
            return None
        if len(seen) == LONGEST_FOLLOWED:
            break
        seen.append(parent)
    return len(seen)
