#!/bin/sh
# Makes the place for backups, then one each night at BACKUP_AT (UTC): on Sundays a whole one, else
# what changed since. The first is made at once. Of two servers, each with one of these beside it, the
# one that is the primary is backed up. /tmp/done is as old as the last backup that came out well,
# whichever of them made it.
set -eu
# shellcheck source=deploy/backup/superuser.sh
. /eqtrade/superuser.sh

is_primary() {
    [ "$(psql --no-psqlrc --host=/var/run/postgresql --username=postgres --dbname=postgres \
        --tuples-only --no-align --command='SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]
}

# When the last backup ended, in seconds since 1970; 0 without one.
last() {
    found=$(/eqtrade/pgbackrest.sh --output=json info 2>/dev/null | grep -o '"stop":[0-9]*' | tail -n 1)
    found=${found#*:}
    echo "${found:-0}"
}

# When the last one was due.
due() {
    at=$(date -u -d "today ${BACKUP_AT:-02:15}" +%s)
    [ "$at" -le "$(date -u +%s)" ] || at=$((at - 86400))
    echo "$at"
}

# back_up KIND: without one, a whole one on Sundays.
back_up() {
    kind=${1:-diff}
    [ "$(date -u +%u)" != 7 ] || kind=full
    /eqtrade/pgbackrest.sh --type="$kind" backup && return
    echo "the backup failed: it is tried again in ten minutes" >&2
    sleep 600
}

until pg_isready --quiet --host=/var/run/postgresql --username=postgres; do sleep 1; done
place='' first=''
while :; do
    if ! is_primary; then
        place=''
    else
        if [ -z "$place" ]; then
            # Another cluster than the last one, as after a dump was restored, begins anew beside the
            # old backups. After a failover it is the same.
            if ! /eqtrade/pgbackrest.sh stanza-create; then
                /eqtrade/pgbackrest.sh stanza-upgrade
                first=full
            fi
            /eqtrade/pgbackrest.sh check
            place=made
        fi
        if [ -n "$first" ] || [ "$(last)" = 0 ]; then
            back_up full && first=''
        elif [ "$(last)" -lt "$(due)" ]; then
            back_up
        fi
    fi
    [ "$(last)" = 0 ] || touch -d "@$(last)" /tmp/done
    sleep 15 &
    wait $!
done
