"""`python -m reconciler.cli`, as `reconciler`."""

from reconciler.cli import main

main(prog_name="reconciler")
