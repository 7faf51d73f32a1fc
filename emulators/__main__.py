"""`python -m emulators --port P --state DIR --config FILE.json`: serves on 127.0.0.1 until SIGTERM."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

import uvicorn
from pydantic import ValidationError

from emulators.app import create_app
from emulators.setup import Setup

GRACE_S = 3


def main() -> int:
    arguments = _parser().parse_args()
    try:
        setup = Setup.model_validate_json(arguments.config.read_bytes()) if arguments.config else None
    except OSError:
        return _refuse(f"Cannot read {str(arguments.config)!r}")
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in entry["loc"]) for entry in error.errors()})
        return _refuse(
            f"{str(arguments.config)!r} is not a setup, see emulators/README.md: {', '.join(places)}"
        )
    # uvicorn stops cleanly and then raises the signal again; to be stopped is no failure.
    signal.signal(signal.SIGTERM, _stop)
    uvicorn.run(
        create_app(arguments.state, setup),
        host="127.0.0.1",
        port=arguments.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return 0


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emulators", description="A local Slack, helpdesk, shop and payment provider"
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    return parser


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
