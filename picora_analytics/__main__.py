"""`python -m picora_analytics` is the command."""

from picora_analytics.cli import main

main()
