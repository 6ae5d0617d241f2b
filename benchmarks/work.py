"""The one work everybody does: how many people, what they are told, in which words."""

from __future__ import annotations

#: People in the tables unless a run asks for others; each has settings, and two preferences: e-mail on, text messages off.
PEOPLE = 100_000

#: Variables are written {{name}}; what the peers and Django's templates read alike.
SUBJECT = "Order {{order_number}} is confirmed"
BODY = """Hello {{recipient_name}},
your order {{order_number}} over {{total}} is confirmed.
It leaves us today and reaches you on {{delivery_date}}.
You can follow the parcel in your account at any time.
Thank you for shopping with us!"""
#: Names nobody: one text serves everybody.
SHARED_BODY = """Hello,
your order {{order_number}} over {{total}} is confirmed.
It leaves us today and reaches you on {{delivery_date}}.
You can follow the parcel in your account at any time.
Thank you for shopping with us!"""
VARIABLES = {"order_number": "ORD-10042", "total": "EUR 1,499.00", "delivery_date": "2 March"}
