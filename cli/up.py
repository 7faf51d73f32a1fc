"""`countersign up`: start everything on this machine and look after it until Ctrl-C."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator

import click
from rich.console import Console

from adapters.embedded.home import open_home
from adapters.settings import Settings
from cli.child_environments import CODEC_TOKEN
from cli.processes import Stack, StackOptions
from cli.reload import restart_on_change
from cli.servers import TEMPORAL_UI_PORT

DEVELOPMENT_ONLY = "The embedded Postgres and Temporal are for development only; production refuses them."


@click.command()
@click.option("--workers", type=click.IntRange(1), help="How many worker processes.")
@click.option("--emulators", is_flag=True, help="Also a local Slack, helpdesk, shop and payment provider.")
@click.option("--reload", is_flag=True, help="Restart our processes when their code changes.")
def up(workers: int | None, emulators: bool, reload: bool) -> None:  # noqa: FBT001 - click's flags
    """Start everything on this machine and look after it until Ctrl-C."""
    settings = Settings()
    options = StackOptions(workers=workers or settings.workers, emulators=emulators)
    asyncio.run(_up(settings, options, reload=reload))


async def _up(settings: Settings, options: StackOptions, *, reload: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    async with running_stack(settings, options, console) as (stack, stopped):
        for line in addresses(stack, settings):
            console.print(line)
        console.print("Ctrl-C stops everything.")
        if reload:
            await restart_on_change(stack.supervisor, console.print, stopped)
        await stopped.wait()
        console.print("Stopping: the worker finishes its steps first")
    console.print("Stopped")


@contextlib.asynccontextmanager
async def running_stack(
    settings: Settings, options: StackOptions, console: Console
) -> AsyncIterator[tuple[Stack, asyncio.Event]]:
    """A started stack and the event that Ctrl-C or SIGTERM sets. Everything is stopped at the end."""
    stopped = _stop_event()
    with _progress(console) as tell:
        stack = Stack(open_home(settings.home), settings, options, tell)
        try:
            await _start_unless(stopped, stack)
        except BaseException:
            await stack.stop()
            raise
    try:
        yield stack, stopped
    finally:
        await stack.stop()


def addresses(stack: Stack, settings: Settings) -> Iterator[str]:
    """What a person may want to open, and which usual ports were taken."""
    yield f"Doors         {stack.api_url}{_unusual(stack.api_url, settings.api_port)}"
    if stack.has_emulators:
        yield f"Emulators     {stack.emulators_url}{_unusual(stack.emulators_url, settings.emulators_port)}"
    if stack.temporal_ui_url:
        yield f"Temporal      {stack.temporal_ui_url}{_unusual(stack.temporal_ui_url, TEMPORAL_UI_PORT)}"
    yield f"Codec         {stack.codec_url}/sign-in{_unusual(stack.codec_url, settings.codec_port)}"
    yield f"  its token   {_codec_token(stack, settings)}"
    yield f"State, logs   {stack.home.path}"
    if stack.embeds:
        yield DEVELOPMENT_ONLY


def _codec_token(stack: Stack, settings: Settings) -> str:
    # The place only: what a terminal shows ends up in scroll-back buffers and recordings.
    if settings.codec_token:
        return "COUNTERSIGN_CODEC_TOKEN"
    return str(stack.home.secrets / CODEC_TOKEN)


def _unusual(url: str, usual: int) -> str:
    return "" if url.endswith(f":{usual}") else f"  (port {usual} was taken)"


def _stop_event() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _start_unless(stopped: asyncio.Event, stack: Stack) -> None:
    starting = asyncio.create_task(stack.start())
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait([starting, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not starting.done():
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        raise click.Abort
    starting.result()


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Callable[[str], None]]:
    """A moving line at a terminal, plain lines elsewhere; after the start, plain lines everywhere."""
    if not console.is_terminal:
        yield console.print
        return
    with console.status("Starting") as status:
        shown = _Shown(status.update)
        yield shown
    shown.show = console.print


class _Shown:
    """Where a line goes changes once everything is up; who was given this object need not know."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self.show = show

    def __call__(self, line: str) -> None:
        self.show(line)
