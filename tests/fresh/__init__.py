"""Both of the README's commands on a machine that has next to nothing, as `make fresh-test`."""
