from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.policy.primitives.require_approval import Terms
from cli.tenant_file import TenantFileRefused, TenantNameRefused, checked_name, read_tenant_file
from cli.tenants import read_tenant
from tests.cli.filled import POLICY, document, written

Change = Callable[[dict[str, Any]], object]


def test_file_that_is_right_is_read(tmp_path: Path) -> None:
    spec = read_tenant("lamps", written(tmp_path, document()))

    assert spec.file.helpdesk.api_token.get_secret_value() == "hd-token"
    assert [article.title for article in spec.articles] == ["Bulbs"]
    assert "refund_request" in {intent.intent for intent in spec.taxonomy.intents}


def test_secret_can_lie_in_a_file_beside(tmp_path: Path) -> None:
    content: dict[str, Any] = document()
    content["shop"]["token"] = "file:shop.secret"
    (tmp_path / "shop.secret").write_text("from-a-file\n")

    file = read_tenant_file(written(tmp_path, content))

    assert file.shop.token.get_secret_value() == "from-a-file"


def put(*path: str, value: object) -> Change:
    def change(content: dict[str, Any]) -> None:
        for part in path[:-1]:
            content = content[part]
        content[path[-1]] = value

    return change


# What is changed, which field the sentence names, and a word of what to do about it.
WRONG: dict[str, tuple[Change, str, str]] = {
    "missing part": (lambda c: c.pop("shop"), "'shop'", "Add it"),
    "misspelt word": (put("playbook", value=[]), "'playbook'", "spelling"),
    "misspelt inner word": (put("shop", "tokn", value="x"), "'shop.tokn'", "spelling"),
    "no web address": (put("shop", "base_url", value="shop.example.com"), "'shop.base_url'", "https://"),
    "file address": (
        put("payments", "base_url", value="file:///etc/passwd"),
        "'payments.base_url'",
        "https://",
    ),
    "address with query": (
        put("shop", "base_url", value="https://a.example/?x=1"),
        "'shop.base_url'",
        "https",
    ),
    "empty token": (put("shop", "token", value=""), "'shop.token'", "at least 1"),
    "webhook secret of another kind": (
        put("helpdesk", "webhook_secrets", value=["hunter2"]),
        "'helpdesk.webhook_secrets.0'",
        "whsec_",
    ),
    "short webhook secret": (
        put("helpdesk", "webhook_secrets", value=["whsec_QUJD"]),
        "'helpdesk.webhook_secrets.0'",
        "16 bytes",
    ),
    "no webhook secret": (
        put("helpdesk", "webhook_secrets", value=[]),
        "'helpdesk.webhook_secrets'",
        "least",
    ),
    "guessable slug": (put("helpdesk", "slug", value="x"), "'helpdesk.slug'", "match"),
    "another source": (put("helpdesk", "source", value="zendesk"), "'helpdesk.source'", "generic"),
    "Slack user by name": (
        put("teammates", value=[{"name": "N", "slack_user_id": "nora"}]),
        "teammates.0",
        "match",
    ),
    "nobody can approve": (
        put("teammates", value=[{"name": "N", "slack_user_id": "U0NORA"}]),
        "tenant.yaml",
        "'approvers'",
    ),
    "unknown mode": (put("settings", value={"mode": "yolo"}), "'settings.mode'", "automate"),
    "intent nobody knows": (
        put("playbooks", value=[{"id": "p", "intent": "no_such", "requires": [], "reply": "x"}]),
        "'playbooks.0.intent'",
        "refund_request",
    ),
    "requirement nobody knows": (
        put("playbooks", value=[{"id": "p", "intent": "refund_request", "requires": ["luck"], "reply": "x"}]),
        "'playbooks.0.requires.0'",
        "order.delivered",
    ),
    "policy that is not there": (put("policy", value="none.json"), "'policy'", "none.json"),
    "articles that are not there": (put("articles", value="none"), "'articles'", ".md"),
    "secret file that is not there": (put("shop", "token", value="file:none"), "'token'", "'none'"),
    "taxonomy that is not there": (put("taxonomy", value="none.yaml"), "none.yaml", "Cannot read"),
}


@pytest.mark.parametrize(("change", "field", "remedy"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_sentence(
    tmp_path: Path, change: Change, field: str, remedy: str
) -> None:
    content: dict[str, Any] = document()
    change(content)

    with pytest.raises(TenantFileRefused) as refused:
        read_tenant("lamps", written(tmp_path, content))

    sentence = str(refused.value)
    assert field in sentence
    assert remedy in sentence
    assert "\n" not in sentence
    assert str(tmp_path) not in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "title:"),
        ("- a list", "title:"),
        ("title: [unclosed", "Is not YAML near line 1"),
        ("title: a: b", "line 1"),
        ("title: \x00", "control characters"),
    ],
    ids=["empty", "list", "unclosed", "colon", "control character"],
)
def test_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, remedy: str) -> None:
    (tmp_path / "tenant.yaml").write_text(text)

    with pytest.raises(TenantFileRefused, match=remedy):
        read_tenant_file(tmp_path / "tenant.yaml")


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tenant.yaml").write_bytes(b"title: \xff\xfe")

    with pytest.raises(TenantFileRefused, match="UTF-8"):
        read_tenant_file(tmp_path / "tenant.yaml")


ARTICLES = {
    "no front matter": ("Just text", "Begin it with ---"),
    "zone nobody knows": ("---\ntitle: A\nzone: secret\n---\nText\n", "'zone'"),
    "no text": ("---\ntitle: A\nzone: public\n---\n\n", "below the second ---"),
    "title of another": ("---\ntitle: Bulbs\nzone: public\n---\nText\n", "Another article"),
}


@pytest.mark.parametrize(("text", "remedy"), ARTICLES.values(), ids=ARTICLES)
def test_article_that_is_wrong_is_named(tmp_path: Path, text: str, remedy: str) -> None:
    path = written(tmp_path, document())
    (tmp_path / "articles" / "lamps.md").write_text(text)

    with pytest.raises(TenantFileRefused, match=remedy) as refused:
        read_tenant("lamps", path)

    assert "lamps.md" in str(refused.value)


def test_wrong_policy_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, document())
    (tmp_path / "policy.yaml").write_text('{\n  "schema_version": 3\n}')

    with pytest.raises(TenantFileRefused, match="line 2"):
        read_tenant("lamps", path)


@pytest.mark.parametrize("name", ["", "Lamps", "lamps/../x", "1lamps", "lamps shop", "l" * 65])
def test_name_that_cannot_be_part_of_an_address_is_refused(name: str) -> None:
    with pytest.raises(TenantNameRefused):
        checked_name(name)


@pytest.mark.parametrize(("teammates", "fits"), [(1, False), (2, True)])
def test_policy_that_asks_more_approvers_than_there_are_is_refused(
    tmp_path: Path,
    teammates: int,
    fits: bool,  # noqa: FBT001 - a table
) -> None:
    """Every approval would wait for its end and be handed over, day after day."""
    people = [
        {"name": f"N{n}", "slack_user_id": f"U0N{n}", "groups": ["approvers"]} for n in range(teammates)
    ]
    path = written(tmp_path, {**document(), "teammates": people})
    (tmp_path / "policy.yaml").write_text(POLICY.replace("quorum: 1", "quorum: 2"))

    if fits:
        assert read_tenant("lamps", path).policy.approval == Terms(approver_groups=("approvers",), quorum=2)
    else:
        with pytest.raises(TenantFileRefused, match="Put 2 teammates"):
            read_tenant("lamps", path)
