"""How commands print: no guessed highlighting, and full lines where nobody's window is the limit."""

from rich.console import Console

WIDTH_WITHOUT_A_WINDOW = 160


def console() -> Console:
    """For tables and stories; a pipe or a file gets wide lines."""
    shown = Console(highlight=False, soft_wrap=True)
    if not shown.is_terminal:
        shown.width = WIDTH_WITHOUT_A_WINDOW
    return shown
