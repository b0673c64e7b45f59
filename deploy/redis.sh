#!/bin/sh
# Redis in its container. One user, known by the hash of its password, which stands on no command
# line: it may use its data, not the server (no CONFIG SET, FLUSHALL, SHUTDOWN). The one without a
# name, which Redis has by default, is off.
set -eu
password=$(cat /run/secrets/redis_password)
[ -n "$password" ] || { echo "the secret redis_password is empty" >&2; exit 1; }
hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
umask 077
cat >/tmp/users.acl <<END
user default off
user eqtrade on #$hash ~* &* +@all -@admin -@dangerous +info +config|get
END
# Queued tasks survive a restart. A broker that threw keys away would lose tasks in silence; a
# refused write is seen.
exec redis-server --aclfile /tmp/users.acl --dir /data \
    --appendonly yes --appendfsync everysec --save "" \
    --maxmemory "${REDIS_MAXMEMORY:-192mb}" --maxmemory-policy noeviction "$@"
