"""The real OPA, regorus and plain Python mean the same by the library, whatever they are given."""

import json
import random
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from adapters import regorus
from adapters.policy.answered import read
from adapters.policy.bundle import library
from adapters.policy.effective import Effective
from adapters.policy.plain import PlainEngine
from adapters.policy.served import Module, module, place, served
from adapters.rego_tests import LIBRARY, run_rego_tests
from domain.decision import Verdict
from tests.adapters.policy.random_inputs import an_input
from tests.adapters.policy.random_policies import a_policy
from tests.opa.process import running_opa

POLICIES = 750
INPUTS_EACH = 14
FAULTS = (
    ("<= check.allow_up_to[", "< check.allow_up_to["),
    ("not is_string(purpose_given)", "not is_string(input.purpose)"),
)


@pytest.fixture(scope="module")
def opa() -> Iterator[httpx.Client]:
    with running_opa() as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.mark.timeout(600)
def test_engines_agree_on_ten_thousand_random_inputs(opa: httpx.Client) -> None:
    seen = compare(opa, random.Random(7), POLICIES)  # noqa: S311 - the same cases on every run

    assert seen.total() >= 10_000
    assert min(seen[verdict] for verdict in Verdict) > 50


@pytest.mark.parametrize(("right", "wrong"), FAULTS)
def test_fault_in_the_library_would_be_seen(right: str, wrong: str, opa: httpx.Client) -> None:
    faulty = library().replace(right, wrong, 1)
    assert faulty != library()

    with pytest.raises(AssertionError):
        compare(opa, random.Random(7), POLICIES // 4, module(faulty))  # noqa: S311 - the same


def test_rego_tests_of_the_library_pass_in_opa_too(opa: httpx.Client) -> None:
    tests = (LIBRARY / "decision_test.rego").read_text(encoding="utf-8")
    opa.put("/v1/policies/library", content=library()).raise_for_status()
    opa.put("/v1/policies/library_test", content=tests).raise_for_status()

    found = opa.get("/v1/data/countersign/decision_test").raise_for_status().json()["result"]

    passed = {name for name, holds in found.items() if name.startswith("test_") and holds is True}
    assert passed == {name for name, _ in run_rego_tests()}


def compare(
    opa: httpx.Client, dice: random.Random, policies: int, loaded: Module | None = None
) -> Counter[Verdict]:
    """How often each verdict was given. Raises `AssertionError` where an answer differs."""
    loaded = loaded or module()
    opa.put(f"/v1/policies/{loaded.name}", content=loaded.text).raise_for_status()
    made = [a_policy(dice) for _ in range(policies)]
    everything = {place(policy.version): served(policy) for policy in made}
    opa.put("/v1/data/countersign_policies", json=everything).raise_for_status()
    return sum((_compared(opa, dice, loaded, policy) for policy in made), Counter())


def _compared(opa: httpx.Client, dice: random.Random, loaded: Module, policy: Effective) -> Counter[Verdict]:
    documents = [json.dumps(an_input(dice)) for _ in range(INPUTS_EACH)]
    rego, plain = regorus.RegorusEngine(policy), PlainEngine(policy)
    seen: Counter[Verdict] = Counter()
    for document, found in zip(documents, _answers(opa, loaded, policy, documents), strict=True):
        expected = plain.decide_document(document)
        assert rego.decide_document(document) == expected, (policy.content, document)
        assert read(found, policy, document) == expected, (policy.content, document)
        seen[expected.verdict] += 1
    return seen


def _answers(opa: httpx.Client, loaded: Module, policy: Effective, documents: list[str]) -> list[str]:
    asked = {"policy": place(policy.version), "documents": [json.loads(document) for document in documents]}
    answered = opa.post(f"/v1/data/{loaded.name}/plan", json={"input": asked}).raise_for_status().json()
    assert answered["result"]["version"] == policy.version
    return [json.dumps(answer) for answer in answered["result"]["answers"]]
