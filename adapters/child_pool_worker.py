"""The child's side of the pool: reads a call from stdin, answers on what was stdout, ends with its input.

`python -m adapters.child_pool_worker MODULE`, where MODULE offers `FUNCTIONS` (name → function of one JSON
value) and `warm()`. A frame is four bytes of length, big endian, and that many bytes of JSON.
"""

import importlib
import json
import os
import signal
import struct
import sys
from typing import IO, Any

HEADER = struct.Struct(">I")
READY = {"ready": True}
# A child whose parent was killed must not compute for ever: the kernel ends it this long after its deadline.
ALARM_MARGIN_S = 2.0


def main() -> None:
    """Serves calls until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when we end
    answers = _take_over_stdout()
    module = importlib.import_module(sys.argv[1])
    module.warm()
    _silence_stderr()
    _write(answers, READY)
    while (call := _read(sys.stdin.buffer)) is not None:
        _write(answers, _answer(module.FUNCTIONS, call))


def _take_over_stdout() -> IO[bytes]:
    """Keeps the pipe for answers; whatever a library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _silence_stderr() -> None:
    """Until now a failing import was readable; from now on a library could print a customer's text."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


def _answer(functions: dict[str, Any], call: Any) -> Any:
    signal.setitimer(signal.ITIMER_REAL, call["deadline_s"] + ALARM_MARGIN_S)
    try:
        return {"value": functions[call["function"]](call["argument"])}
    except Exception as error:  # noqa: BLE001 - anything a text provokes; its message may hold the text
        return {"raised": type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _read(stream: IO[bytes]) -> Any:
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    body = stream.read(length)
    return json.loads(body) if len(body) == length else None


def _write(stream: IO[bytes], value: Any) -> None:
    body = json.dumps(value).encode()
    stream.write(HEADER.pack(len(body)) + body)
    stream.flush()


if __name__ == "__main__":
    main()
