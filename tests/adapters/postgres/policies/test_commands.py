"""What people type to publish, try, compare and move policies, and what they read."""

import asyncio
import base64
import re
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from adapters.policy.bundle import Level
from adapters.policy.published import published
from adapters.postgres.bootstrap import DatabaseUrls
from adapters.postgres.directory import Directory, DirectoryKind
from adapters.postgres.policies import ORGANISATION
from adapters.postgres.policy_moves import MoverMissing
from adapters.postgres.policy_register import Place, PolicyRegister
from adapters.postgres.session import Database
from adapters.postgres.tenant_registry import PrincipalEntry, SlackEntry, TenantRegistry
from adapters.settings import Environment, Settings
from cli.__main__ import run
from cli.policy_places import short
from cli.policy_publish import Agreed, put_in_force
from tests.adapters.postgres.policies.publishing import TEXT, events, limited
from tests.conftest import MASTER_KEY, a_configuration
from tests.docs.shown import shown_in, without_what_changes

Shown = pytest.CaptureFixture[str]
PAGE = Path(__file__).parents[4] / "docs" / "policy" / "versions.md"
ROWS = """
bundle: support_default
input: {}
rows:
  - {note: nothing is known of it, verdict: deny, reason: action_not_covered}
"""


@pytest.fixture
async def tenant(
    urls: DatabaseUrls, own_registry: TenantRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A tenant with a few people, and an environment that knows its database."""
    monkeypatch.setenv("COUNTERSIGN_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("COUNTERSIGN_OWNER_DATABASE_URL", urls.owner)
    monkeypatch.setenv("COUNTERSIGN_APP_KEYS_URL", urls.key_app)
    monkeypatch.setenv("COUNTERSIGN_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    tenant_id, team = uuid4(), f"T{uuid4().hex[:8].upper()}"
    configuration = a_configuration(tenant_id)
    await own_registry.put_tenant(configuration)
    slack = SlackEntry(team_id=team, channel_id="C1", bot_token=SecretStr("xoxb-invented"))
    await own_registry.put_slack(tenant_id, slack)
    for user, roles in (("U0NORA", ()), ("U0OMAR", ("compliance",)), ("U0LEA", ("admin",))):
        entry = PrincipalEntry(name=user, slack_team_id=team, slack_user_id=user, roles=roles)
        await own_registry.put_principal(tenant_id, entry)
    return configuration.name


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for limit in ("50.00", "20.00", "80.00"):
        Path(f"limit_{limit[:2]}.yaml").write_text(TEXT.replace('"50.00"', f'"{limit}"'))


def said(capsys: Shown, *words: str) -> tuple[int, str, str]:
    code = run(["policy", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def named(text: str) -> str:
    """Versions change with the rules of a release, and nothing else may."""
    return re.sub(r"\b[0-9a-f]{12}\b", "VERSION", text)


SIGNED = ("--author", "U0NORA", "--reason", "Small refunds go out by themselves")


def test_policy_is_published_tried_and_put_in_force_by_two(tenant: str, capsys: Shown) -> None:
    """As the page shows it."""
    at = ("--tenant", tenant)
    told = []
    for words in (
        ("publish", "limit_20.yaml", *at, *SIGNED),
        ("activate", short(published(limited("20.00")).version), *at, "--by", "U0OMAR"),
        ("publish", "limit_50.yaml", *at, *SIGNED, "--reviewer", "U0LEA"),
        ("candidate", short(published(limited("50.00")).version), *at, "--by", "U0OMAR"),
        ("activate", short(published(limited("50.00")).version), *at, "--by", "U0OMAR"),
        ("activate", short(published(limited("50.00")).version), *at, "--by", "U0OMAR", "--second", "U0LEA"),
    ):
        code, out, errors = said(capsys, *words)
        told.append((code, out + errors))

    assert [code for code, _ in told] == [0, 0, 0, 0, 1, 0]
    shown = "".join(text for _, text in told[2:]).replace(tenant, "harbour_books")
    assert named(shown) == named(shown_in(PAGE, "Published version"))


def test_list_tells_auditors_who_and_why(tenant: str, capsys: Shown) -> None:
    said(capsys, "publish", "limit_20.yaml", "--tenant", tenant, *SIGNED, "--reviewer", "U0LEA")

    code, out, _ = said(capsys, "list", "--tenant", tenant)

    assert code == 0
    assert short(published(limited("20.00")).version) in out
    assert "Small refunds go out by themselves" in out
    assert without_what_changes(out).count("principal_ID") == 2


def test_two_policies_are_compared_as_files_and_as_versions(tenant: str, capsys: Shown) -> None:
    said(capsys, "publish", "limit_20.yaml", "--tenant", tenant, *SIGNED)
    version = short(published(limited("20.00")).version)

    files = said(capsys, "diff", "limit_20.yaml", "limit_50.yaml")
    mixed = said(capsys, "diff", version, "limit_50.yaml", "--tenant", tenant)
    same = said(capsys, "diff", version, "limit_20.yaml", "--tenant", tenant)

    assert files == mixed
    assert files[1].splitlines()[0] == (
        'rule refunds_by_amount: threshold.allow_up_to.EUR: "20.00" → "50.00"'
    )
    assert files[1].splitlines()[3] == (
        "May lower enforcement: Rule 'refunds_by_amount' of the tenant:"
        " threshold.allow_up_to.EUR rises from 20.00 to 50.00"
    )
    assert same == (0, "Both mean the same\n", "")


def test_tables_that_a_version_passed_are_kept_with_it(tenant: str, capsys: Shown) -> None:
    Path("tables").mkdir()
    Path("tables/mine.yaml").write_text(ROWS)
    at = ("--tenant", tenant, *SIGNED, "--tables", "tables")

    code, out, _ = said(capsys, "publish", "limit_20.yaml", *at)
    Path("tables/mine.yaml").write_text(ROWS.replace("deny", "allow"))
    failed, _, errors = said(capsys, "publish", "limit_50.yaml", *at)
    _, listed, _ = said(capsys, "list", "--tenant", tenant)

    assert (code, failed) == (0, 1)
    assert "which passed 1 rows" in out
    assert "The tables fail: mine: nothing is known of it: expected allow" in errors
    assert "Nothing was published" in errors
    assert "1 rows" in listed
    assert short(published(limited("50.00")).version) not in listed


REFUSED = {
    "unknown tenant": (("list", "--tenant", "nobody"), "Tenant 'nobody' does not exist"),
    "no place": (("list",), "Write --organisation, or --tenant NAME"),
    "two places": (("list", "--tenant", "x", "--organisation"), "Write --organisation, or --tenant NAME"),
    "agent of nobody": (("list", "--agent", "x"), "Write --organisation, or --tenant NAME"),
    "unknown author": (
        ("publish", "limit_20.yaml", "--author", "U0WHO", "--reason", "x"),
        "'U0WHO' is nobody of 'TENANT'",
    ),
    "own reviewer": (
        ("publish", "limit_20.yaml", *SIGNED, "--reviewer", "U0NORA"),
        "The author cannot be a reviewer",
    ),
    "unknown version": (("activate", "abc", "--by", "U0OMAR"), "Version 'abc' is not published here"),
    "not entitled": (("activate", "VERSION", "--by", "U0NORA"), "with the role compliance or admin"),
    "same person": (
        ("activate", "VERSION", "--by", "U0OMAR", "--second", "U0OMAR"),
        "must be another than the first",
    ),
    "neither": (("candidate", "--by", "U0OMAR"), "Write a VERSION, or --none"),
    "both": (("candidate", "VERSION", "--none", "--by", "U0OMAR"), "Write a VERSION, or --none"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_fault_is_one_sentence(tenant: str, capsys: Shown, fault: str) -> None:
    said(capsys, "publish", "limit_50.yaml", "--tenant", tenant, *SIGNED)
    version = short(published(limited("50.00")).version)
    words, sentence = REFUSED[fault]
    placed = [] if words[0] == "list" else ["--tenant", tenant]

    code, _, errors = said(capsys, *(word.replace("VERSION", version) for word in words), *placed)

    assert code != 0
    assert sentence.replace("TENANT", tenant) in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("name", ["default", "approval", "fail_closed", "the_owner_speaks"])
def test_rule_with_the_name_of_a_reason_is_refused(tenant: str, capsys: Shown, name: str) -> None:
    file = Path("named.yaml")
    file.write_text(TEXT.replace("- id: ", f"- id: {name}\n    deny: true\n  - id: ", 1))

    code, _, errors = said(capsys, "publish", "named.yaml", "--tenant", tenant, *SIGNED)

    assert code == 1
    assert f"rule '{name}' has the name of a reason that every policy gives" in errors


def test_rule_with_the_prefix_of_a_level_is_refused(tenant: str, capsys: Shown) -> None:
    Path("named.yaml").write_text(TEXT.replace("- id: ", "- id: organisation.", 1))

    code, _, errors = said(capsys, "publish", "named.yaml", "--tenant", tenant, *SIGNED)

    assert code == 1
    assert "named.yaml: line " in errors


# --- the organisation -------------------------------------------------------------------------------


STAFF = """
people:
  - {id: ada, name: Ada Aune, roles: [compliance]}
  - {id: ben, name: Ben Novak, roles: [admin]}
"""


@pytest.mark.usefixtures("tenant")
async def test_organisations_people_publish_and_move_its_policy(
    roles: tuple[Database, Database], capsys: Shown
) -> None:
    await asyncio.to_thread(Path("staff.yaml").write_text, STAFF)
    version = short(published(limited("20.00"), Level.ORGANISATION).version)
    signed = ("--author", "ada", "--reason", "Limits for all")

    staff = await in_a_thread(capsys, "staff", "staff.yaml")
    published_ = await in_a_thread(capsys, "publish", "limit_20.yaml", "--organisation", *signed)
    alone = await in_a_thread(capsys, "activate", version, "--organisation", "--by", "ada")
    both = await in_a_thread(capsys, "activate", version, "--organisation", "--by", "ada", "--second", "ben")

    assert [each[0] for each in (staff, published_, alone, both)] == [0, 0, 1, 0]
    assert staff[1] == "2 people of the organisation, 2 of whom move its policy\n"
    assert "In force for the organisation" in both[1]
    kind, told = (await events(roles[0], ORGANISATION))[-1]
    assert kind == "policy_activated"
    assert told["by"] != told["second"]


# --- load -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agreed", "limit"), [(Agreed("U0OMAR"), "20.00"), (Agreed("U0OMAR", "U0LEA"), "80.00")]
)
async def test_in_production_people_replace_what_is_in_force(
    tenant: str, urls: DatabaseUrls, roles: tuple[Database, Database], agreed: Agreed, limit: str
) -> None:
    tenant_id = await Directory(roles[0]).tenant_of(DirectoryKind.NAME, tenant)
    assert tenant_id is not None
    production = Settings(owner_database_url=SecretStr(urls.owner)).model_copy(
        update={"environment": Environment.PRODUCTION}
    )
    await put_in_force(limited("50.00"), tenant, Agreed(), production)

    with pytest.raises(MoverMissing):
        await put_in_force(limited(limit), tenant, Agreed(), production)
    version = await put_in_force(limited(limit), tenant, agreed, production)

    assert await PolicyRegister(roles[0]).active(Place(tenant_id)) == version
    assert (await events(roles[0], tenant_id))[-1][1]["development"] is False


async def in_a_thread(capsys: Shown, *words: str) -> tuple[int, str, str]:
    """A command has a loop of its own."""
    return await asyncio.to_thread(said, capsys, *words)
