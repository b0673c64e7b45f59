#!/bin/sh
# deploy/secrets.sh [DIRECTORY]: a secret for each part of docker-compose.yml, in a file of its own;
# what is there stays. One that an earlier version took from .env is taken over from there.
#
# Docker mounts the files with the modes that they have, and the users of several containers read
# them: so they are readable, in a directory that nobody else enters.
set -eu
project=$(dirname "$0")/..
directory=${1:-${SECRETS_DIR:-$project/secrets}}
mkdir -p "$directory"
chmod 700 "$directory"

# What .env says of a name, without the quotes around it; nothing when it says nothing.
said() {
    [ -f "$project/.env" ] || return 0
    sed -n "s/^$1=//p" "$project/.env" | tail -n 1 | sed "s/^'\(.*\)'\$/\1/; s/^\"\(.*\)\"\$/\1/"
}

# secret FILE NAME: NAME is its name in the .env of earlier versions.
secret() {
    file=$directory/$1
    [ ! -s "$file" ] || return 0
    value=$(said "$2")
    [ -n "$value" ] || value=$(head -c 48 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n')
    (umask 077 && printf %s "$value" >"$file.new")
    chmod 444 "$file.new"
    mv "$file.new" "$file"
    echo "$file"
}

secret secret_key SECRET_KEY
secret superuser_password POSTGRES_SUPERUSER_PASSWORD
secret owner_password POSTGRES_OWNER_PASSWORD
secret runtime_password POSTGRES_RUNTIME_PASSWORD
secret redis_password REDIS_PASSWORD
# Of docker-compose.ha.yml alone.
secret replication_password POSTGRES_REPLICATION_PASSWORD
# Of docker-compose.monitoring.yml alone.
secret grafana_password GRAFANA_PASSWORD
# Of deploy/compose.pitr.yml: without it no backup can be read. Keep it in another place, too.
secret backup_key BACKUP_KEY
