from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('positions', '0005_settling'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='settling',
            options={'verbose_name_plural': 'unsettled'},
        ),
    ]
