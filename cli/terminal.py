"""How commands print: no guessed highlighting, and full lines where nobody's window is the limit."""

import shlex
import sys

from rich.console import Console

from adapters.settings import Settings

WIDTH_WITHOUT_A_WINDOW = 160


def console() -> Console:
    """For tables and stories; a pipe or a file gets wide lines."""
    shown = Console(highlight=False, soft_wrap=True)
    if not shown.is_terminal:
        shown.width = WIDTH_WITHOUT_A_WINDOW
    return shown


def own_command() -> str:
    """How to call this program again from another terminal, on the same state."""
    called = sys.argv[0] if "/" in sys.argv[0] else "countersign"
    home = Settings().home
    return f"COUNTERSIGN_HOME={shlex.quote(str(home))} {shlex.quote(called)}" if home else shlex.quote(called)
