#!/bin/sh
# Restores a dump of /backups (its name, or none for the latest) into a database without tables:
# all of it or nothing. What exists is never overwritten.
set -eu
PGPASSWORD=$(cat "$PGPASSWORD_FILE") && export PGPASSWORD

name=${1:-$(find /backups -name 'eqtrade-*.dump' | sort | tail -n 1 | xargs -r basename)}
if [ -z "$name" ] || [ ! -f "/backups/$name" ]; then
    echo "there is no backup ${name:-at all}; there are:" >&2
    find /backups -name 'eqtrade-*.dump' | sort >&2
    exit 1
fi
(cd /backups && sha256sum --check --quiet "$name.sha256")
tables=$(psql -qtAX -c "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
if [ "$tables" -ne 0 ]; then
    echo "the database has $tables tables: restore into an empty one (docs/runbooks/backup.md)" >&2
    exit 1
fi
pg_restore --dbname="$PGDATABASE" --no-owner --exit-on-error --single-transaction "/backups/$name"
echo "restored $name; now: manage.py restored, then manage.py verify"
