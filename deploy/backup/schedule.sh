#!/bin/sh
# Makes the place for backups, then one each night at BACKUP_AT (UTC): on Sundays a whole one, else
# what changed since. The first is made at once. /tmp/done is as old as the last that came out well.
set -eu
until pg_isready --quiet --host=/var/run/postgresql --username=postgres; do sleep 1; done
# Another cluster than the last one, as after a dump was restored, begins anew beside the old backups.
first=full
if /eqtrade/pgbackrest.sh stanza-create; then
    if /eqtrade/pgbackrest.sh info | grep -q 'full backup'; then first=''; fi
else
    /eqtrade/pgbackrest.sh stanza-upgrade
fi
/eqtrade/pgbackrest.sh check

# back_up KIND: without one, a whole one on Sundays.
back_up() {
    kind=${1:-diff}
    [ "$(date -u +%u)" != 7 ] || kind=full
    if /eqtrade/pgbackrest.sh --type="$kind" backup; then
        touch /tmp/done
    else
        echo "the backup failed: it is tried again in ten minutes" >&2
        return 1
    fi
}

[ -z "$first" ] || until back_up "$first"; do sleep 600; done
touch /tmp/done
while :; do
    now=$(date -u +%s)
    at=$(date -u -d "today ${BACKUP_AT:-02:15}" +%s)
    [ "$at" -gt "$now" ] || at=$(date -u -d "tomorrow ${BACKUP_AT:-02:15}" +%s)
    sleep $((at - now)) & wait $!
    until back_up; do sleep 600; done
done
