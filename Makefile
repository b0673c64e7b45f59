# The commands of a developer's day. What they do is in deploy/develop.py and eqtrade/up/.
#
#   make run     the whole system on http://127.0.0.1:8000/, until Ctrl-C
#   make test    every test; ARGS="-k name" goes to pytest
#   make lint    ruff, mypy, import-linter, and the front end's checks
#   make format  what ruff can mend by itself
#   make api     the front end's API types and its table of a trade's terms, made anew
#   make bench   the benchmarks but the largest; NAME=… for one of them
#   make compose-test   the system in containers: up, used, killed, restored (needs docker compose);
#                       ARGS=--monitoring: Prometheus beside it, and alerts that fire and end
#   make ha-test        two databases, killed and frozen while bookings go on (etcd of Debian);
#                       ARGS=--containers: the whole of docker-compose.ha.yml;
#                       ARGS=--restore: both lost, and restored to a second
#   make fresh-test     run and test on a bare Debian (needs docker, or root and debootstrap)
#   make lock    resolve pyproject.toml anew: uv.lock, and requirements.txt from it, with hashes
#   make audit   known vulnerabilities, dangerous calls, images without a digest
#   make sbom    what an installation is made of, in CycloneDX
#   make release what is on main, rolled out on AWS, and back when it is not well
#   make clean   remove the data, .venv, node_modules and what was built
#
# From the environment or as `make run NAME=value`: PORT (8000), DATA_DIR (.data),
# SEED (demo or empty), DEMO_PASSWORD (demo), PRICE_SOURCE (simulated, yahoo or csv),
# DATABASE_URL and REDIS_URL for servers of your own.

# The newest Python from 3.11 to 3.13 that is there, or PYTHON=…
PYTHON ?=
develop = python=$$(PYTHON="$(PYTHON)" sh deploy/python.sh) && exec "$$python" -m deploy.develop
MAKEFLAGS += --no-print-directory

.PHONY: run test lint format api bench compose-test ha-test fresh-test lock audit sbom release clean
.DEFAULT_GOAL := run

run:
	@$(develop) run
	@exec .venv/bin/python -m eqtrade.up

test:
	@$(develop) test $(ARGS)

lint:
	@$(develop) lint

format:
	@$(develop) format

api:
	@$(develop) api

bench:
	@$(develop) bench $(NAME)

compose-test:
	@$(develop) compose-test $(ARGS)

ha-test:
	@$(develop) ha-test $(ARGS)

fresh-test:
	@$(develop) fresh-test $(ARGS)

lock:
	@$(develop) lock $(ARGS)

audit:
	@$(develop) audit

sbom:
	@$(develop) sbom

release:
	@$(develop) release

clean:
	@$(develop) clean
