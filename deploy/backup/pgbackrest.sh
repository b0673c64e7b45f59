#!/bin/sh
# pgBackRest with its settings, the key from its file. All that it writes is encrypted before it leaves.
set -eu
# shellcheck source=deploy/backup/superuser.sh
. /eqtrade/superuser.sh
PGBACKREST_REPO1_CIPHER_PASS=$(cat /run/secrets/backup_key)
export PGBACKREST_REPO1_CIPHER_PASS PGBACKREST_REPO1_CIPHER_TYPE=aes-256-cbc
export PGBACKREST_STANZA=eqtrade PGBACKREST_REPO1_PATH=/backups/pgbackrest
export PGBACKREST_PG1_PATH="${CLUSTER:-${PGDATA:?}}" PGBACKREST_PG1_SOCKET_PATH=/var/run/postgresql
export PGBACKREST_PG1_USER=postgres PGBACKREST_CMD=/eqtrade/pgbackrest.sh
# Whole backups are kept for so many days, and with them the log that leads on from each.
export PGBACKREST_REPO1_RETENTION_FULL_TYPE=time
export PGBACKREST_REPO1_RETENTION_FULL="${BACKUP_DAYS:-14}"
export PGBACKREST_START_FAST=y PGBACKREST_COMPRESS_TYPE=zst PGBACKREST_LOG_LEVEL_FILE=off
export PGBACKREST_LOCK_PATH=/tmp/pgbackrest PGBACKREST_SPOOL_PATH=/tmp/pgbackrest
exec pgbackrest "$@"
