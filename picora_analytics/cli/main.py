"""The command: parse, call the public API, print. The only folder that prints or exits."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from picora_analytics import __version__
from picora_analytics.cli.common import ERROR, EXIT_CODES, INTERRUPTED, PARTIAL, say, shown
from picora_analytics.errors import IncompleteLoadError, PicoraError

__all__ = ["main"]

# The module of each command, and its line in the list of them.
_COMMANDS = {
    "apply": ("applying", "Carry out a saved plan: delete exactly its images, for ever."),
    "backup": ("copies", "Copy the files of a saved plan and prove each copy."),
    "check": ("look", "Test the key and the address, and say what this server answers."),
    "decide": ("choosing", "Note what was decided about images, in a CSV file."),
    "demo": ("demo", "Show it all on an invented library; no account needed."),
    "diff": ("remembered", "Show what changed between two snapshots."),
    "hide": ("hiding", "Make the images of a saved plan private; nothing is deleted."),
    "lab": ("demo", "Open the notebooks in JupyterLab, as copies in FOLDER."),
    "load": ("look", "Load the whole library, remember it, and show what is in it."),
    "plan": ("planning", "Plan a cleanup and rehearse it; nothing is deleted."),
    "repoint": ("repoint", "Put new image ids in the place of old ones, in files."),
    "report": ("report", "Write the storage report, for people, CI and cron."),
    "restore": ("copies", "Upload copies again, under new addresses."),
    "review": ("reviewing", "Look through a saved plan, and note what was decided."),
    "scan": ("references", "Look where images are used, for people and CI."),
    "snapshots": ("remembered", "List what is remembered of the library."),
    "unhide": ("hiding", "Show images again that hide made private."),
}

# Of a message: what a server or a file of a stranger's says may be megabytes long.
_LONGEST = 6000


class _Unloaded(click.Command):
    """A command whose module is imported when it is used, so that a list of all is there at once."""

    def __init__(self, name: str) -> None:
        module, line = _COMMANDS[name]
        super().__init__(name, short_help=line)
        self._module = f"picora_analytics.cli.{module}"

    def load(self) -> click.Command:
        """Import the command itself."""
        command: click.Command = getattr(importlib.import_module(self._module), self.name or "")
        if "Exit codes:" not in (command.help or ""):  # Some say more of their own.
            command.epilog = command.epilog or EXIT_CODES
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Give the context of the command itself, which is what click works with from here."""
        return self.load().make_context(*args, **kwargs)


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
        from picora_analytics.cli.words import in_shell_words

        click.UsageError(shown(in_shell_words(error.format_message())), error.ctx).show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt) as stopped:
        from picora_analytics.cli.interrupted import what_is_kept

        _fail(what_is_kept(sys.argv[1:], stopped.__cause__ or stopped), INTERRUPTED)
    except IncompleteLoadError as error:
        _fail(error, PARTIAL)
    except (PicoraError, ValueError, OSError) as error:
        _fail(error if not isinstance(error, OSError) else _reason(error), ERROR)
    # A fault of ours shows its traceback, as dead and as keyless as all that is printed.
    except Exception:
        import traceback

        _fail(traceback.format_exc(), ERROR)


def _reason(error: OSError) -> str:
    """Say what is wrong with which file, in words."""
    if error.errno is None or error.strerror is None:
        return str(error)
    where = error.filename if error.filename is not None else "a file"
    return f"{where}: {error.strerror}."


def _fail(why: object, code: int) -> None:
    from picora_analytics.cli.words import in_shell_words

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


for _name in _COMMANDS:
    cli.add_command(_Unloaded(_name))
