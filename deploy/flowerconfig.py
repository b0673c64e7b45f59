"""Flower's options, on a laptop and in containers: behind nginx, watching only, bounded."""

from kombu import Queue

from eqtrade.celery import app
from eqtrade.queues import queue_names

# Flower asks workers for their queues once, when it starts: until they have answered, it shows
# these. In Flower's own process only; nothing is sent by them.
app.conf.task_queues = [Queue(name) for name in queue_names()]

url_prefix = "flower"
# Tasks are started and workers stopped where it is logged who did it, not here.
read_only = True
# Nothing outlives a restart, and what is kept while it runs has an end (some 100 MB at most).
persistent = False
max_tasks = 5000
max_workers = 200
purge_offline_workers = 600
