#!/bin/sh
# PostgreSQL whose log is kept: each piece as it is full, and after a minute at the latest.
set -eu
exec docker-entrypoint.sh "$@" \
    -c archive_mode=on -c archive_timeout=60 \
    -c "archive_command=/eqtrade/pgbackrest.sh archive-push %p" \
    -c "restore_command=/eqtrade/pgbackrest.sh archive-get %f %p"
