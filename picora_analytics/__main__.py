"""`python -m picora_analytics` is the command."""

from picora_analytics.cli.main import main

main()
