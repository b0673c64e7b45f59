#!/bin/sh
# Patroni in its container: passwords from their files, the address from the container's own name.
# With CLUSTER, which says where the data is, the log is kept (deploy/compose.ha.pitr.yml).
set -eu
PATRONI_SUPERUSER_PASSWORD=$(cat /run/secrets/superuser_password)
PATRONI_REPLICATION_PASSWORD=$(cat /run/secrets/replication_password)
export PATRONI_SUPERUSER_PASSWORD PATRONI_REPLICATION_PASSWORD
export PATRONI_SUPERUSER_USERNAME=postgres PATRONI_REPLICATION_USERNAME=replicator
export PATRONI_RESTAPI_LISTEN=0.0.0.0:8008 PATRONI_RESTAPI_CONNECT_ADDRESS="$PATRONI_NAME:8008"
export PATRONI_POSTGRESQL_LISTEN=0.0.0.0:5432
export PATRONI_POSTGRESQL_CONNECT_ADDRESS="$PATRONI_NAME:5432"
export PATRONI_POSTGRESQL_DATA_DIR="${CLUSTER:-$PGDATA/patroni}" PATRONI_POSTGRESQL_PGPASS=/tmp/pgpass
PATRONI_POSTGRESQL_BIN_DIR=$(dirname "$(command -v postgres)")
export PATRONI_POSTGRESQL_BIN_DIR
settings=/eqtrade/patroni.yml
if [ -n "${CLUSTER:-}" ]; then
    settings=/tmp/patroni
    mkdir -p "$settings"
    cp /eqtrade/patroni.yml /eqtrade/archived.yml "$settings"
fi
exec /opt/patroni/venv/bin/python -m patroni "$settings"
