#!/usr/bin/env python3
"""Django's command line, with a clear word where no database can be found."""

import os
import sys

# These run without a database; everything else is told plainly when none can be found.
WITHOUT_DATABASE = {
    "help", "check", "collectstatic", "makemigrations", "spectacular", "startapp", "version",
    "diffsettings", "findstatic", "--help", "-h", "--version",
}  # fmt: skip


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eqtrade.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command not in WITHOUT_DATABASE and "--help" not in sys.argv and not settings.STACK_FOUND:
        sys.exit(
            f"No eqtrade stack is running with DATA_DIR={settings.DATA_DIR}. Start one with "
            "`make run`, or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if command == "test" or settings.DEBUG:
            raise
        sys.exit(f"The database cannot be reached: {error}".strip())


if __name__ == "__main__":
    main()
