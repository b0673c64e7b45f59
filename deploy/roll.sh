#!/bin/sh
# deploy/roll.sh SERVICE…: replaces the containers of each service, without a moment in which none
# serves: as many new ones, of the image and the settings as they are now, come up and are healthy
# before the old ones finish what they are at and go. Not for nginx: there is one.
#
# COMPOSE_PROJECT_NAME and COMPOSE_ENV_FILES are docker compose's own variables for another project.
set -eu
cd "$(dirname "$0")/.."

for service; do
    case $service in
    nginx)
        # Two would want the same port.
        echo "$service can't be there twice: docker compose up -d --no-deps $service" >&2
        exit 64
        ;;
    esac
    old=$(docker compose ps --quiet "$service")
    count=$(echo "$old" | grep -c .) || { echo "no $service runs" >&2; exit 1; }
    docker compose up --detach --wait --no-deps --no-recreate --no-build \
        --scale "$service=$((2 * count))" "$service"
    # nginx learns of them within two seconds.
    sleep 3
    for container in $old; do
        docker stop "$container" >/dev/null
        docker rm "$container" >/dev/null
    done
    echo "$service: $count replaced"
done
