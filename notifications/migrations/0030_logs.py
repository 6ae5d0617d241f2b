"""Indexes for the logs of staff: made while the tables are in use, where the database can."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndex(AddIndexConcurrently):
    """On PostgreSQL nobody waits for it; SQLite has one writer anyway."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('notifications', '0029_people'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='dailystat',
            name='reason',
            field=models.CharField(blank=True, choices=[('no_address', 'the recipient has no address on this channel'), ('recipient_inactive', "the recipient's account is inactive"), ('channel_not_configured', 'the channel is not set up here'), ('no_content', 'the template has no wording for this channel'), ('category_off', 'the recipient switched this category off'), ('template_off', 'the recipient switched this kind of message off'), ('default_off', 'this category is sent only to those who want it'), ('muted', 'the recipient muted what this is about'), ('frequency_cap', 'the recipient has had enough of this category for the day'), ('digest', 'collected, to be sent together with others'), ('escalation', 'waiting whether it is read in the app'), ('read_elsewhere', 'it was read in the app'), ('resolved', 'what it was about was settled'), ('no_longer_valid', 'it was no longer true when it was to be sent'), ('guard_error', 'nobody could tell whether it was still true'), ('quiet_hours', "waiting for the end of the recipient's quiet hours"), ('template_disabled', 'staff disabled the template'), ('dispatch_error', 'the event could not be dispatched'), ('expansion_error', 'the audience could not be told'), ('render_error', 'the wording could not be rendered'), ('rejected', 'the provider refused it'), ('retries_exhausted', 'every try failed'), ('retry', 'waiting for the next try'), ('event_cancelled', 'the event was cancelled'), ('staff_cancelled', 'staff called it back'), ('expired_before_send', 'it expired before it could be sent'), ('worker_crashed', 'it ended its worker process too often'), ('bad_payload', 'the legacy event could not be read'), ('content_gone', 'its content is no longer kept'), ('suppressed_address', 'nothing may be sent to this address'), ('endpoint_gone', 'the address is gone'), ('invalid_address', 'this is no address of this channel'), ('too_long', 'it is longer than the channel takes'), ('hard_bounce', 'the address does not exist'), ('complaint', 'the recipient reported it as unwanted'), ('unsubscribed', 'the recipient unsubscribed'), ('recipient_erased', "the recipient's data were erased")], max_length=30),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='reason',
            field=models.CharField(blank=True, choices=[('no_address', 'the recipient has no address on this channel'), ('recipient_inactive', "the recipient's account is inactive"), ('channel_not_configured', 'the channel is not set up here'), ('no_content', 'the template has no wording for this channel'), ('category_off', 'the recipient switched this category off'), ('template_off', 'the recipient switched this kind of message off'), ('default_off', 'this category is sent only to those who want it'), ('muted', 'the recipient muted what this is about'), ('frequency_cap', 'the recipient has had enough of this category for the day'), ('digest', 'collected, to be sent together with others'), ('escalation', 'waiting whether it is read in the app'), ('read_elsewhere', 'it was read in the app'), ('resolved', 'what it was about was settled'), ('no_longer_valid', 'it was no longer true when it was to be sent'), ('guard_error', 'nobody could tell whether it was still true'), ('quiet_hours', "waiting for the end of the recipient's quiet hours"), ('template_disabled', 'staff disabled the template'), ('dispatch_error', 'the event could not be dispatched'), ('expansion_error', 'the audience could not be told'), ('render_error', 'the wording could not be rendered'), ('rejected', 'the provider refused it'), ('retries_exhausted', 'every try failed'), ('retry', 'waiting for the next try'), ('event_cancelled', 'the event was cancelled'), ('staff_cancelled', 'staff called it back'), ('expired_before_send', 'it expired before it could be sent'), ('worker_crashed', 'it ended its worker process too often'), ('bad_payload', 'the legacy event could not be read'), ('content_gone', 'its content is no longer kept'), ('suppressed_address', 'nothing may be sent to this address'), ('endpoint_gone', 'the address is gone'), ('invalid_address', 'this is no address of this channel'), ('too_long', 'it is longer than the channel takes'), ('hard_bounce', 'the address does not exist'), ('complaint', 'the recipient reported it as unwanted'), ('unsubscribed', 'the recipient unsubscribed'), ('recipient_erased', "the recipient's data were erased")], max_length=30),
        ),
        # Nothing asks by it alone; the log looks through its newest rows.
        migrations.AlterField(
            model_name='delivery',
            name='template',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='notifications.template'),
        ),
        AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ['pending', 'failed', 'unknown', 'cancelled', 'expired'])), fields=['state', 'id'], name='delivery_state'),
        ),
        AddIndex(
            model_name='delivery',
            index=models.Index(django.db.models.functions.text.Left('address', 100), condition=models.Q(('notification__isnull', True), ('recipient__isnull', True), models.Q(('address', ''), _negated=True)), name='delivery_direct'),
        ),
        AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['id'], name='event_log_failed'),
        ),
    ]
