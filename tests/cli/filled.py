"""Values for the `${words}` of the demo's tenant files, and tenant files for tests."""

from pathlib import Path
from uuid import uuid4

import yaml

from cli import demo_data

POLICY = (demo_data.HERE / "harbour_books" / "policy.yaml").read_text("utf-8")


def fill() -> dict[str, str]:
    """Fresh ones, because webhook addresses and Slack teams belong to one tenant each."""
    return {
        "emulators_url": "http://127.0.0.1:8100",
        "helpdesk_token": "hd-token",
        "webhook_secret": "whsec_" + "QUJD" * 8,
        "slug": uuid4().hex,
        "shop_token": "shop-token",
        "payments_key": "sk_test",
        "slack_team_id": "T" + uuid4().hex[:12].upper(),
        "slack_channel_id": "C0DESK",
        "bot_token": "xoxb-token",
        "recontact_window_s": "0",
        "acknowledge_within_s": "null",
    }


def document() -> dict[str, object]:
    """A small tenant file that is right."""
    values = fill()
    return {
        "title": "Lantern Lamps",
        "helpdesk": {
            "base_url": "http://127.0.0.1:8100/helpdesk/lamps/api",
            "api_token": "hd-token",
            "webhook_secrets": [values["webhook_secret"]],
            "slug": values["slug"],
        },
        "shop": {"base_url": "https://shop.example.com/api", "token": "shop-token"},
        "payments": {"base_url": "https://pay.example.com", "secret_key": "sk_test"},
        "slack": {"team_id": values["slack_team_id"], "channel_id": "C0LAMPS", "bot_token": "xoxb-token"},
        "teammates": [{"name": "Nora", "slack_user_id": "U0NORA", "groups": ["approvers"]}],
        "policy": "policy.yaml",
        "articles": "articles",
    }


def written(folder: Path, content: dict[str, object]) -> Path:
    """The file with everything beside it that it names."""
    (folder / "articles").mkdir(exist_ok=True)
    (folder / "articles" / "bulbs.md").write_text("---\ntitle: Bulbs\nzone: public\n---\nE14 bulbs fit.\n")
    (folder / "policy.yaml").write_text(POLICY)
    path = folder / "tenant.yaml"
    path.write_text(yaml.safe_dump(content))
    return path
