"""The demo service alone: ``python -m picora_analytics.demo --port 8080``."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from types import FrameType

from picora_analytics.demo.server import DemoServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C; 0 at a quiet end, 1 where the port cannot be used, 2 for wrong options."""
    parser = argparse.ArgumentParser(
        prog="python -m picora_analytics.demo",
        description="A Picora to play with on 127.0.0.1: an invented library, no account.",
    )
    parser.add_argument("--port", type=int, default=8080, help="port of the API (default 8080)")
    parser.add_argument("--n-images", type=int, default=1200, help="size of the library")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another library")
    parser.add_argument("--shape", choices=("current", "seed"), default="current")
    parser.add_argument("--seed-only", action="store_true", help="know the two oldest calls only")
    options = parser.parse_args(arguments)
    # A shell starts background jobs with Ctrl-C ignored; being stopped must work there too.
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        server = DemoServer(
            options.n_images,
            seed=options.seed,
            shape=options.shape,
            seed_only=options.seed_only,
            port=options.port,
        )
        s = "" if options.n_images == 1 else "s"
        with server:
            _say(f"Picora demo       {server.url}   {options.n_images:,} invented image{s}")
            _say(f"Pictures          {server.pictures_url}")
            _say("Use it with")
            _say(f"  export PICORA_BASE_URL={server.url}")
            _say(f"  export PICORA_API_KEY={server.api_key}   (made up, good for nothing else)")
            _say("Ctrl-C stops it.")
            while True:
                time.sleep(3_600)
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        sys.stderr.write(f"{error.strerror}\n")
        return 1
    except ValueError as error:
        parser.error(str(error))


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
