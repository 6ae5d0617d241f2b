"""A Django project that notifies the usual way: one message a notification, plain ORM; by Celery or by Dramatiq."""
