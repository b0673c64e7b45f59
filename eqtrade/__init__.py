"""The Django project. Importing it makes Celery's application the default one for tasks."""

from eqtrade.celery import app as celery_app

__all__ = ["celery_app"]
