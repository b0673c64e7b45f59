#!/bin/sh
# What a container of the `app` image runs: one part of the system, named by its first argument.
#
#   api                REST, admin and pages, on port 8000
#   ws                 websockets, on port 8000
#   worker QUEUE[,…]   a Celery worker of these queues
#   beat               the schedules; one of those that run sends
#   flower             on port 5555
#   roles              makes or mends the database's roles, as its superuser, and ends
#   migrate            brings schema and rights up to date, as the owner, and ends
#   manage …           manage.py
#   health [PART]      whether the part in this container does its job; a job does while it runs
#
# Further arguments of api, ws and worker go to the server that runs them.
set -eu
cd /app

part=${1:?name a part: api, ws, worker, beat, flower, roles, migrate, manage or health}
shift
# For `health` without a name.
[ "$part" = health ] || echo "$part" >/tmp/part
case $part in
api)
    export DB_POOL=1
    exec python -m granian --interface wsgi --host 0.0.0.0 --port 8000 \
        --workers "${API_PROCESSES:-2}" --blocking-threads "${API_THREADS:-8}" \
        --respawn-failed-workers --workers-kill-timeout 8 --no-ws "$@" eqtrade.wsgi:application
    ;;
ws)
    export DB_POOL=1
    exec python -m eqtrade.ws --host 0.0.0.0 --port 8000 "$@"
    ;;
worker)
    queues=${1:?worker: name its queues, with commas between them}
    shift
    exec python -m celery -A eqtrade worker -Q "$queues" -n "$queues@%h" \
        --concurrency "${WORKER_CONCURRENCY:-2}" --loglevel INFO \
        --without-gossip --without-mingle "$@"
    ;;
beat)
    exec python -m celery -A eqtrade beat --loglevel INFO --pidfile ''
    ;;
flower)
    exec python -m celery -A eqtrade flower --conf=/app/deploy/flowerconfig.py \
        --address=0.0.0.0 --port=5555
    ;;
roles)
    exec python -m eqtrade.database_roles
    ;;
migrate)
    python manage.py check --database default
    python manage.py migrate --noinput
    python manage.py grant_runtime eqtrade
    exec python manage.py audit_keep
    ;;
manage)
    exec python manage.py "$@"
    ;;
health)
    part=${1:-$(cat /tmp/part)}
    case $part in
    roles | migrate | manage) exit 0 ;;
    *) exec python -I /app/deploy/health.py "$part" ;;
    esac
    ;;
*)
    echo "unknown part: $part" >&2
    exit 64
    ;;
esac
