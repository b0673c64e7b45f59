#!/bin/sh
# Sourced: who asks PostgreSQL on its socket has the password where one is needed (docker-compose.ha.yml).
if [ -r /run/secrets/superuser_password ]; then
    PGPASSWORD=$(cat /run/secrets/superuser_password)
    export PGPASSWORD
fi
