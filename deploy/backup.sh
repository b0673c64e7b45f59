#!/bin/sh
# Dumps the database into /backups, complete or not at all, and keeps the latest BACKUP_KEEP dumps.
# Bookings go on meanwhile; the dump is of one moment.
set -eu
PGPASSWORD=$(cat "$PGPASSWORD_FILE") && export PGPASSWORD

name=eqtrade-$(date -u +%Y%m%dT%H%M%SZ).dump
trap 'rm -f "/backups/$name.part"' EXIT
pg_dump --format=custom --file="/backups/$name.part"
# A dump whose end is missing has no list of contents.
pg_restore --list "/backups/$name.part" >/dev/null
mv "/backups/$name.part" "/backups/$name"
(cd /backups && sha256sum "$name" >"$name.sha256")

find /backups -name 'eqtrade-*.dump' | sort -r | tail -n +"$((${BACKUP_KEEP:-14} + 1))" |
    while read -r old; do rm -f "$old" "$old.sha256"; done
ls -l "/backups/$name"
