"""The `countersign` command. Whatever goes wrong is one sentence on stderr and a code other than 0."""

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from adapters.settings import Settings
from cli.sentences import sentence_for

# Loaded when asked for: `countersign --help` must not wait for a language model's libraries.
COMMANDS = {
    "up": "Start everything on this machine and look after it.",
    "demo": "The whole system with three shops, their tickets, and one thing for you to do.",
    "ticket": "List tickets, show one, tell its story, take it over, hand it back or stop it.",
    "tenant": "Whose tickets are answered, from what and by which rules.",
    "inbox": "List what arrived, and wake tickets for it again.",
    "effect": "Settle an effect of which nobody knew whether it happened.",
    "measures": "How fast tickets are answered, how often without a person, and how often wrongly.",
    "doctor": "Say what runs, what is wrong and what to do.",
    "audit": "Verify what was recorded, and hand it to an auditor.",
    "policy": "Publish policies, put them in force, and check, test and explain them.",
    "deploy": "Make what a production deployment needs.",
    "migrate": "Prepare databases of your own, or bring them up to this release.",
}
INTERRUPTED = 130


class Commands(click.Group):
    """Each command is `cli/NAME.py` with a click command of the same name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands)
def countersign() -> None:
    """Support automation that can be trusted with money."""


def run(arguments: Sequence[str]) -> int:
    """One command; the exit code. Nothing is raised."""
    try:
        answer = countersign.main(list(arguments), prog_name="countersign", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a person at a terminal wants a sentence, not a traceback
        return _complain(error)
    return answer if isinstance(answer, int) else 0


def main() -> NoReturn:
    """Ends without the interpreter's shutdown, in which Temporal's client sometimes crashes."""
    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    gc.collect()
    os._exit(code)


def _complain(error: Exception) -> int:
    if _debugging():
        traceback.print_exception(error)
    click.echo(sentence_for(error), err=True)
    return 1


def _debugging() -> bool:
    try:
        return Settings().log_level.lower() == "debug"
    except ValueError:
        return False


if __name__ == "__main__":
    main()
