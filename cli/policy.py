"""`countersign policy`: publish policies, put them in force, and check, test and explain them."""

import click

from cli.policy_activate import activate, candidate
from cli.policy_backtest import backtest
from cli.policy_check import check
from cli.policy_explain import explain
from cli.policy_list import diff, list_
from cli.policy_publish import load, publish
from cli.policy_shadow import shadow
from cli.policy_staff import staff
from cli.policy_tables import test


@click.group()
def policy() -> None:
    """Publish policies, put them in force, and check, test and explain them."""


policy.add_command(activate)
policy.add_command(backtest)
policy.add_command(candidate)
policy.add_command(check)
policy.add_command(diff)
policy.add_command(explain)
policy.add_command(list_)
policy.add_command(load)
policy.add_command(publish)
policy.add_command(staff)
policy.add_command(shadow)
policy.add_command(test)
