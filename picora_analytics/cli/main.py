"""The command: parse, call the public API, print. The only folder that prints or exits."""

from __future__ import annotations

import os
import sys
import traceback

import click

from picora_analytics import __version__
from picora_analytics.cli.choosing import decide
from picora_analytics.cli.cleanup import apply, backup, plan, restore
from picora_analytics.cli.common import ERROR, PARTIAL, say
from picora_analytics.cli.demo import demo, lab
from picora_analytics.cli.hiding import hide, unhide
from picora_analytics.cli.look import check, diff, load, snapshots
from picora_analytics.cli.references import scan
from picora_analytics.cli.repoint import repoint
from picora_analytics.cli.report import report
from picora_analytics.cli.reviewing import review
from picora_analytics.errors import IncompleteLoadError, PicoraError

__all__ = ["main"]

# Of a message: what a server or a file of a stranger's says may be megabytes long.
_LONGEST = 6000


def main() -> None:
    """Run the command, and turn our errors into exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # An old code page shows a ? rather than a traceback.
            stream.reconfigure(errors="replace")
    try:
        cli(prog_name="picora-analytics", color=False if os.environ.get("NO_COLOR") else None)
    except IncompleteLoadError as error:
        _fail(error, PARTIAL)
    except (PicoraError, ValueError, OSError) as error:
        _fail(error, ERROR)
    # A fault of ours shows its traceback, as dead and as keyless as all that is printed.
    except Exception:
        _fail(traceback.format_exc(), ERROR)


def _fail(why: object, code: int) -> None:
    text = str(why)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    say(f"picora-analytics: {text}", err=True)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="picora-analytics")
def cli() -> None:
    """
    Look at, understand and safely clean up a Picora image library.

    The key is read from PICORA_API_KEY, the address from PICORA_BASE_URL. Without an account, start with
    `picora-analytics demo`.

    Exit codes: 0 done, 1 error, 2 wrong usage or no key, 3 a threshold was crossed, 4 the library was
    read, or a plan carried out, only in part.
    """


for _command in (
    *(
        check,
        load,
        report,
        scan,
        plan,
        review,
        decide,
        backup,
        hide,
        unhide,
        apply,
        restore,
        repoint,
    ),
    *(snapshots, diff, lab, demo),
):
    cli.add_command(_command)
