"""The tables of schema.sql, for the ORM."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models


class Row(models.Model):
    # Said aloud for mypy, which knows the models of the project's own settings only.
    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        abstract = True


class PersonSettings(Row):
    person = models.BigIntegerField(primary_key=True)
    name = models.TextField()
    email = models.TextField()
    locale = models.TextField()
    time_zone = models.TextField()

    class Meta:
        managed = False
        db_table = "person_settings"

    def __str__(self) -> str:
        return self.name


class Preference(Row):
    person = models.BigIntegerField()
    category = models.TextField()
    channel = models.TextField()
    enabled = models.BooleanField()

    class Meta:
        managed = False
        db_table = "preference"

    def __str__(self) -> str:
        return f"{self.category} by {self.channel}"


class Template(Row):
    code = models.TextField(unique=True)
    category = models.TextField()
    subject = models.TextField()
    body = models.TextField()

    class Meta:
        managed = False
        db_table = "template"

    def __str__(self) -> str:
        return self.code


class Notification(Row):
    recipient = models.BigIntegerField()
    template = models.ForeignKey(Template, on_delete=models.PROTECT, db_column="template")
    title = models.TextField()
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "notification"

    def __str__(self) -> str:
        return self.title


class Delivery(Row):
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, db_column="notification")
    channel = models.TextField()
    state = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "delivery"

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"
