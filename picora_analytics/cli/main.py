"""The command: parse, call the public API, print. The only folder that prints or exits."""

from __future__ import annotations

import os
import sys
import traceback

import click

from picora_analytics import __version__
from picora_analytics.cli.applying import apply
from picora_analytics.cli.choosing import decide
from picora_analytics.cli.common import ERROR, EXIT_CODES, INTERRUPTED, PARTIAL, say
from picora_analytics.cli.copies import backup, restore
from picora_analytics.cli.demo import demo, lab
from picora_analytics.cli.hiding import hide, unhide
from picora_analytics.cli.interrupted import what_is_kept
from picora_analytics.cli.look import check, load
from picora_analytics.cli.planning import plan
from picora_analytics.cli.references import scan
from picora_analytics.cli.remembered import diff, snapshots
from picora_analytics.cli.repoint import repoint
from picora_analytics.cli.report import report
from picora_analytics.cli.reviewing import review
from picora_analytics.cli.words import in_shell_words
from picora_analytics.errors import IncompleteLoadError, PicoraError

__all__ = ["main"]

# Of a message: what a server or a file of a stranger's says may be megabytes long.
_LONGEST = 6000


def main() -> None:
    """Run the command, and turn our errors into exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # An old code page shows a ? rather than a traceback.
            stream.reconfigure(errors="replace")
    color = False if os.environ.get("NO_COLOR") else None
    try:
        code = cli(prog_name="picora-analytics", color=color, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:  # With the usage line and its hint.
        click.UsageError(in_shell_words(error.format_message()), error.ctx).show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt) as stopped:
        _fail(what_is_kept(sys.argv[1:], stopped.__cause__ or stopped), INTERRUPTED)
    except IncompleteLoadError as error:
        _fail(error, PARTIAL)
    except (PicoraError, ValueError, OSError) as error:
        _fail(error if not isinstance(error, OSError) else _reason(error), ERROR)
    # A fault of ours shows its traceback, as dead and as keyless as all that is printed.
    except Exception:
        _fail(traceback.format_exc(), ERROR)


def _reason(error: OSError) -> str:
    """Say what is wrong with which file, in words."""
    if error.errno is None or error.strerror is None:
        return str(error)
    where = error.filename if error.filename is not None else "a file"
    return f"{where}: {error.strerror}."


def _fail(why: object, code: int) -> None:
    text = in_shell_words(why)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    say(f"picora-analytics: {text}", err=True)
    sys.exit(code)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="picora-analytics")
def cli() -> None:
    """
    Look at, understand and safely clean up a Picora image library.

    The key is read from PICORA_API_KEY, the address from PICORA_BASE_URL. Without an account, start with
    `picora-analytics demo`.

    Completion: eval "$(_PICORA_ANALYTICS_COMPLETE=bash_source picora-analytics)", or zsh_source, fish_source.
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
    if "Exit codes:" not in (_command.help or ""):  # Some say more of their own.
        _command.epilog = _command.epilog or EXIT_CODES
    cli.add_command(_command)
