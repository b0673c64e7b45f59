"""Permissions that belong to no table of ours."""

from django.db import models


class Duties(models.Model):
    """No table: what may be done beyond changing rows."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("schedules", "May change when tasks run, and whether")]

    def __str__(self) -> str:
        return "duties"
