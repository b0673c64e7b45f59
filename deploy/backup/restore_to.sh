#!/bin/sh
# restore_to.sh "2026-03-02 15:04:05+00": the cluster as it was at that second, into an empty data
# directory. When this ends, the log has been read up to there, and what starts on the directory next
# goes on from that second. Refuses where there is data: two clusters that go on from one second give
# the same transaction ids to different trades, so the old one goes first (docs/runbooks/backup.md).
set -eu
export LC_ALL=C
at=${1:?say to which second, with its offset from UTC}
cluster=${CLUSTER:-${PGDATA:?}}
mkdir -p "$cluster"
chmod 700 "$cluster"
if [ -n "$(ls -A "$cluster")" ]; then
    echo "there is a cluster in $cluster: empty the volume first" >&2
    exit 1
fi
/eqtrade/pgbackrest.sh --type=time --target="$at" --target-action=promote restore
# Nobody but this script reaches it while it reads. What it writes of its own, such as the history
# that begins here, is kept as ever.
pg_ctl --pgdata="$cluster" --no-wait --options="-c listen_addresses= -c unix_socket_directories=/tmp \
    -c hot_standby=off -c archive_mode=on \
    -c archive_command='/eqtrade/pgbackrest.sh archive-push %p'" start
# pg_ctl would take one that still reads for ready; and what a backup says of itself is that it is in
# production, until the signal to read is obeyed and gone.
while [ -e "$cluster/recovery.signal" ] ||
    ! pg_controldata --pgdata="$cluster" | grep -q 'state: *in production'; do
    sleep 1
    if ! pg_ctl --pgdata="$cluster" status >/dev/null; then
        echo "the log does not lead to $at: what PostgreSQL said stands above" >&2
        exit 1
    fi
done
pg_ctl --pgdata="$cluster" --wait --mode=fast stop
# A server that follows another one later is not to stop at that second.
sed -i -e '/^restore_command/d' -e '/^recovery_target/d' "$cluster/postgresql.auto.conf"
