"""The real child functions, but a marked text kills, hangs or breaks the child that redacts it.

`COUNTERSIGN_REDACTION_MODULE=tests.adapters.mortal_child` gives a whole system such children.
"""

import os
import signal
import time
from typing import Any

from adapters import child_functions

KILLS = "redaction-kills-its-child"
HANGS = "redaction-hangs-its-child"
RAISES = "redaction-raises-in-its-child"


def redact(argument: Any) -> Any:
    """As the real one, after looking for a marker."""
    said = " ".join(message["body"] for message in argument["conversation"]["messages"])
    if KILLS in said:
        os.kill(os.getpid(), signal.SIGKILL)
    if HANGS in said:
        time.sleep(600)
    if RAISES in said:
        raise ValueError(said)
    return child_functions.redact(argument)


FUNCTIONS = {**child_functions.FUNCTIONS, "redact": redact}
warm = child_functions.warm
