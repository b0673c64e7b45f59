#!/bin/sh
# Prometheus in its container. ALERTMANAGERS: host:port, with commas between them, or nothing.
set -eu
targets=$(printf %s "${ALERTMANAGERS:-}" | sed 's/[^,]\{1,\}/"&"/g')
printf '[{"targets": [%s]}]\n' "$targets" >/tmp/alertmanagers.json
exec prometheus --config.file=/eqtrade/prometheus.yml --storage.tsdb.path=/prometheus \
    --storage.tsdb.retention.time="${METRICS_KEEP:-30d}" \
    --web.listen-address=0.0.0.0:9090 "$@"
