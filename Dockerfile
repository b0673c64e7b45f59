# Two images of one version: `app` for every Python part (deploy/entrypoint.sh says which), and
# `nginx` with the static files of just that version. docker-compose.yml builds both.

FROM node:22-slim AS frontend
WORKDIR /frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build \
    && npm sbom --sbom-format cyclonedx --package-lock-only --omit dev > frontend.cdx.json

FROM python:3.11-slim-bookworm AS packages
WORKDIR /packages
# For strip. Debian's packages, as new as the base: a fixed version would be gone one day.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt ./
# Wheels first: whatever has to be compiled is compiled here, of files whose hashes are known, and
# nothing but those wheels is installed.
RUN python -m pip wheel --no-cache-dir --disable-pip-version-check --require-hashes \
        --wheel-dir wheels -r requirements.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-index \
        --no-deps wheels/*.whl \
    && /opt/venv/bin/python -m pip uninstall --yes --quiet setuptools pip \
    # Used by nobody: tests of libraries, types for checkers, languages that USE_I18N leaves off, and
    # what debuggers are told of compiled code. What auditwheel moved into *.libs stays as it is.
    && find /opt/venv/lib -type d -name 'test*' \
        -regex '.*/\(numpy\|pandas\|qrcode\|toolz\|tornado\)/\(.*/\)?tests?' -prune -exec rm -r {} + \
    && find /opt/venv/lib -type d -name LC_MESSAGES -not -path '*/en/*' -prune -exec rm -r {} + \
    && find /opt/venv/lib -name '*.pyi' -delete \
    && find /opt/venv/lib -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} + \
    # Each can still be loaded.
    && find /opt/venv/lib -name '*.so' -not -path '*.libs/*' -exec /opt/venv/bin/python -c \
        'import ctypes, sys; [ctypes.CDLL(each) for each in sys.argv[1:]]' {} +

# What is in the image, in CycloneDX. The tool stays here.
FROM packages AS sbom
COPY uv.lock ./
COPY deploy/lockfile.py deploy/
RUN python deploy/lockfile.py --only audit > audit.txt \
    && python -m venv /opt/audit \
    && /opt/audit/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --no-deps -r audit.txt \
    && /opt/audit/bin/cyclonedx-py environment --output-reproducible --of JSON \
        -o python.cdx.json /opt/venv/bin/python

FROM python:3.11-slim-bookworm AS whole
# The base's own pip, too: what is in the image is all that it will ever have.
RUN python -m pip uninstall --yes --quiet setuptools wheel pip \
    && install -d -o 10001 -g 10001 /var/lib/eqtrade
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
COPY --from=frontend /frontend/frontend.cdx.json /srv/sbom/
COPY --from=sbom /packages/python.cdx.json /srv/sbom/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=eqtrade.settings \
    HOME=/var/lib/eqtrade \
    DATA_DIR=/var/lib/eqtrade \
    STATIC_ROOT=/srv/static \
    LOG_FORMAT=json \
    HEARTBEAT_FILE=/tmp/heartbeat.json
# Compiled once: the users below can't write here, and each start would compile anew.
RUN python -m compileall -q accounts audit blotter deploy eqtrade kernel pnl positions prices trades

# What nginx serves. Of it the parts need one file: by which names the pages find the front end.
FROM whole AS static
COPY --from=frontend /frontend/dist frontend/dist
RUN python manage.py collectstatic --noinput --verbosity 0

FROM whole AS app
COPY --from=frontend /frontend/dist/.vite frontend/dist/.vite
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=15s --start-period=180s --retries=3 \
    CMD ["/app/deploy/entrypoint.sh", "health"]
ENTRYPOINT ["/app/deploy/entrypoint.sh"]
CMD ["api"]

FROM nginx:1.30 AS nginx
COPY deploy/nginx.conf.template /etc/nginx/templates/nginx.conf.template
COPY --chmod=755 deploy/nginx/ /docker-entrypoint.d/
COPY --from=static /srv/static /srv/static
# The settings are written at each start; the user below may write to /tmp only.
ENV NGINX_ENVSUBST_OUTPUT_DIR=/tmp \
    NGINX_ENVSUBST_FILTER=^(LISTEN|WORKER_PROCESSES|[A-Z]+_SERVERS|RESOLVER|REAL_IP|PROXY_RANGES|SESSION_COOKIE|LOG_FORMAT|[A-Z]+_ROOT)$
USER 101:101
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=15s --start-period=180s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
CMD ["nginx", "-c", "/tmp/nginx.conf", "-g", "daemon off; pid /tmp/nginx.pid;"]
