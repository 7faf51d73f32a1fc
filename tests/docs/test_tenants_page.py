"""The example of docs/tenants.md is a tenant file that works."""

import re
from pathlib import Path

from cli.tenants import read_tenant
from tests.cli.filled import document, written

PAGE = Path(__file__).parents[2] / "docs" / "tenants.md"


def test_example_of_the_page_is_accepted(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    path = written(tmp_path, document())
    path.write_text(example)
    for name in re.findall(r"file:([a-z.]+)", example):
        (tmp_path / name).write_text("whsec_" + "QUJD" * 8)

    spec = read_tenant("lantern_lamps", path)

    assert spec.file.slack.bot_token.get_secret_value().startswith("whsec_")
    assert [playbook.id for playbook in spec.file.playbooks] == ["refund_broken_lamp"]
