"""What [alarms] may not say is refused in one line that names key, value and remedy."""

import pytest

from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.errors import ServiceConfigError
from aggregator.service.settings import read_service

MAIL = """email_host = "mail.example.org"
email_from = "a@b.org"
email_to = "c@d.org"
"""
HOOK = 'webhook_secret_file = "secret"\n'


def given(tmp_path, text):
    path = tmp_path / "service.toml"
    path.write_text("[alarms]\n" + text)
    return read_service(path, folder=tmp_path, known=("alarms",)).table(AlarmSettings, "alarms")


def test_what_is_complete_is_taken(tmp_path):
    taken = given(tmp_path, MAIL + HOOK + 'webhook_url = "https://[::1]:8443/T0/secret"\n')

    assert (taken.recipients, taken.webhook_secret_file) == (("c@d.org",), tmp_path / "secret")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("each_s = 0", "each_s is 0; give 1..600"),
        ("each_s = nan", "each_s is nan; give 1..600"),
        ("temperature_most_c = -100", "temperature_most_c is -100; give -60..150"),
        ("temperature_clear_c = 60", "temperature_clear_c is 60, above temperature_most_c, 50"),
        ("meter_gap_w = -1.0", "meter_gap_w is -1; give 0..1e+06"),
        ("meter_gap_clear_w = 600", "meter_gap_clear_w is 600, above meter_gap_w, 500"),
        ("soc_margin = -0.1", "soc_margin is -0.1; give 0..1"),
        ("soc_held_s = -1", "soc_held_s is -1; give 0..86400"),
        ("silent_s = 0", "silent_s is 0; give 1.."),
        ("silent_s = inf", "silent_s is inf; give 1.."),
        ("missed_share = 2", "missed_share is 2; give 0..1"),
        ("missed_after_s = 9000", "missed_after_s is 9000; give 0..7200"),
        ("ledger_behind_s = -5", "ledger_behind_s is -5; give 1.."),
        ("broker_lost_s = -5", "broker_lost_s is -5; give 0..86400"),
        ("store_behind_s = -5", "store_behind_s is -5; give 1.."),
        ("channel_lost_s = -5", "channel_lost_s is -5; give 0..86400"),
        ("gather_s = -1", "gather_s is -1; give 0..3600"),
        ("pause_s = -1", "pause_s is -1; give 0..86400"),
        ("repeat_h = -1", "repeat_h is -1; give 0..720"),
        ('silent_s = "long"', "silent_s is 'long'; give a number"),
        ("temprature_most_c = 50", "temprature_most_c is no setting here; it takes each_s,"),
        ('email_to = "c@d.org"', "email_to is given without email_host"),
        ('email_host = "mail.example.org"', "without email_from and email_to"),
        ('email_host = "mail..org"', "email_host is 'mail..org'; give a host's name"),
        ('email_host = "smtp://mail.org"', "email_host is 'smtp://mail.org'; give a host's name"),
        (MAIL + "email_port = 70000", "email_port is 70000; give 1..65535"),
        (MAIL.replace("c@d.org", "c@d.org, d"), "email_to has 'd'; give addresses such as"),
        (MAIL.replace("a@b.org", "a@b.org\\nBcc: e@f.org"), "email_from has 'a@b.org"),
        (MAIL.replace("a@b.org", "jürg@b.org"), "email_from has 'jürg@b.org'"),
        (MAIL + 'email_tls = "ssl"', "email_tls is 'ssl'; give one of starttls, tls, none"),
        (MAIL + 'email_tls = "none"', "email_tls is none, and the server is on another computer"),
        (MAIL + 'email_user = "gridpact"', "email_user and email_password_file go together"),
        (MAIL + 'email_password_file = "p"\nemail_user = "jürg"', "email_user has a character"),
        (HOOK, "webhook_secret_file is given without webhook_url"),
        ('webhook_url = "https://example.org/"', "without webhook_secret_file"),
        (HOOK + 'webhook_url = "http://example.org/k3y"', "does not begin with https://"),
        (HOOK + 'webhook_url = "example.org/k3y"', "does not begin with https://"),
        (HOOK + 'webhook_url = "https://"', "webhook_url names no host"),
        (HOOK + 'webhook_url = "https:///k3y"', "webhook_url names no host"),
        (HOOK + 'webhook_url = "https://exa mple.org/k3y"', "webhook_url names no host"),
        (HOOK + 'webhook_url = "https://e.org:99999/k3y"', "webhook_url is no address"),
        (HOOK + 'webhook_url = "https://[::1/k3y"', "webhook_url is no address"),
        (HOOK + 'webhook_url = "https://me:k3y@e.org/"', "webhook_url has a user in it"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, text, line):
    with pytest.raises(ServiceConfigError) as caught:
        given(tmp_path, text)

    said = str(caught.value)
    assert said.startswith("service.toml [alarms]: ")
    assert line in said
    assert "\n" not in said
    assert "k3y" not in said
