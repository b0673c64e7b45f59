#!/bin/sh
# restore_to.sh "2026-03-02 15:04:05+00": the cluster as it was at that second, into an empty data
# directory; PostgreSQL then reads the log up to it when it starts. Refuses where there is data: two
# clusters that go on from one second give the same transaction ids to different trades, so the old
# one goes first (docs/runbooks/backup.md).
set -eu
at=${1:?say to which second, with its offset from UTC}
if [ -n "$(ls -A "${PGDATA:?}")" ]; then
    echo "there is a cluster in $PGDATA: empty the volume first" >&2
    exit 1
fi
exec /eqtrade/pgbackrest.sh --type=time --target="$at" --target-action=promote restore
