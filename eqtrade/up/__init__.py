"""The local stack: what `make run` starts on one machine.

Nothing here imports Django. `manage.py` runs as a program of its own, so that the stack can
say what is wrong with the project instead of failing with it.
"""
