import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_number', models.CharField(max_length=24, verbose_name='order number')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('card_last_four', models.CharField(max_length=4, verbose_name='last four digits of the card')),
                ('state', models.CharField(choices=[('authorising', 'authorising'), ('captured', 'captured'), ('failed', 'failed')], default='authorising', max_length=16, verbose_name='state')),
                ('gateway_reference', models.CharField(blank=True, max_length=64, verbose_name='gateway reference')),
                ('failure_code', models.CharField(blank=True, max_length=64, verbose_name='failure code')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created at')),
                ('captured_at', models.DateTimeField(blank=True, null=True, verbose_name='captured at')),
                ('failed_at', models.DateTimeField(blank=True, null=True, verbose_name='failed at')),
                ('payer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to=settings.AUTH_USER_MODEL, verbose_name='payer')),
            ],
            options={
                'verbose_name': 'payment',
                'verbose_name_plural': 'payments',
                'indexes': [models.Index(fields=['order_number'], name='payments_payment_order')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payments_payment_amount_positive'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='payments_payment_currency_is_a_code'), models.CheckConstraint(condition=models.Q(('card_last_four__regex', '^[0-9]{4}$')), name='payments_payment_card_is_four_digits'), models.CheckConstraint(condition=models.Q(('state', 'authorising'), models.Q(('captured_at__isnull', False), ('failure_code', ''), ('state', 'captured')), models.Q(('failed_at__isnull', False), ('state', 'failed'), models.Q(('failure_code', ''), _negated=True)), _connector='OR'), name='payments_payment_state_has_its_facts'), models.UniqueConstraint(condition=models.Q(('gateway_reference', ''), _negated=True), fields=('gateway_reference',), name='payments_payment_reference_once')],
            },
        ),
    ]
