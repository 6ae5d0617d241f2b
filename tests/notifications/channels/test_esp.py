"""Mail services by django-anymail: Postmark's and Amazon SES's own protocols, on loopback."""

from __future__ import annotations

import base64
import json
import logging
import re
from email import message_from_bytes, policy

import pytest

from notifications.channels.email import EmailChannel
from notifications.exceptions import (
    AmbiguousError,
    MisconfiguredError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from notifications.types import Reason
from notifications.values import Receipt, Rendered
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.notifications.channels.conformance import CANARY, Answer
from tests.providers.peer import HttpPeer
from tests.providers.server import Answer as Said
from tests.providers.server import Hang, said

pytest.importorskip("anymail", reason="the extra `anymail` is not installed")
Config = pytest.importorskip("botocore.config", reason="boto3 is not installed").Config


class PostmarkPeer(HttpPeer):
    """https://postmarkapp.com/developer/api/email-api (2026-11-25)."""

    channel = "email"
    secrets = ("zzservertoken5d",)
    said_codes = {
        # Words as Postmark's own: anymail reads addresses out of them.
        Answer.GONE: (422, 406, "Found inactive addresses: {address}. Inactive recipients are ones that have bounced."),
        Answer.REFUSED: (422, 300, "Invalid metadata content of {address}."),
        Answer.LATER: (503, 100, "Maintenance, {address}"),
        Answer.THROTTLED: (429, 429, "Rate Limit Exceeded"),
        Answer.UNAUTHORIZED: (401, 10, "No account has the token zzservertoken5d"),
    }

    def build(self):
        options = {"server_token": self.secrets[0], "api_url": self.server.url, "timeout": 5}
        backend = "anymail.backends.postmark.EmailBackend"
        return EmailChannel(from_email="Shop <shop@example.com>", backend=backend, backend_options=options)

    def answer(self, answer):
        if answer == Answer.ACCEPTED:
            number = len(self.server.taken)
            return said(200, {"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{number}", "To": self.address(number)})
        status, code, words = self.said_codes[answer]
        return said(status, {"ErrorCode": code, "Message": words.format(address=self.address(0))})

    def address(self, number):
        return f"{CANARY}-{number}@example.com"


class SesPeer(HttpPeer):
    """SendEmail of the API v2, https://docs.aws.amazon.com/ses/latest/APIReference-V2 (2026-11-25)."""

    channel = "email"
    secrets = ("zzsecretkey8e", "zzkeyid2b")
    #: botocore writes whole requests to its debug log (docs/channels.md).
    log_level = logging.INFO
    #: SES takes every address, and tells of those that bounced later, by a callback.
    answers = frozenset(Answer) - {Answer.GONE}
    said_codes = {
        Answer.REFUSED: (400, "MessageRejected", "Email address is not verified: {address}"),
        Answer.LATER: (503, "ServiceUnavailable", "later, {address}"),
        Answer.THROTTLED: (429, "TooManyRequestsException", "Maximum sending rate exceeded."),
        Answer.UNAUTHORIZED: (403, "UnrecognizedClientException", "The token of zzkeyid2b is invalid."),
    }

    def build(self):
        client = {
            "endpoint_url": self.server.url,
            "region_name": "eu-central-1",
            "aws_access_key_id": self.secrets[1],
            "aws_secret_access_key": self.secrets[0],
            "config": Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5),
        }
        backend = "anymail.backends.amazon_ses.EmailBackend"
        options = {"client_params": client}
        return EmailChannel(from_email="Shop <shop@example.com>", backend=backend, backend_options=options)

    def answer(self, answer):
        if answer == Answer.ACCEPTED:
            return said(200, {"MessageId": f"ses-{len(self.server.taken)}"})
        status, code, words = self.said_codes[answer]
        return said(status, {"message": words.format(address=self.address(0))}, x_amzn_ErrorType=code)

    def address(self, number):
        return f"{CANARY}-{number}@example.com"


@pytest.fixture(params=[PostmarkPeer, SesPeer], ids=["Postmark", "Amazon SES"])
def peer(request):
    with request.param() as peer:
        yield peer


@pytest.fixture
def postmark():
    with PostmarkPeer() as peer:
        yield peer


@pytest.fixture
def ses():
    with SesPeer() as peer:
        yield peer


def send(peer, *messages):
    return list(peer.adapter().send_batch(list(messages)))


def test_postmark_is_given_all_of_the_message(postmark):
    given = postmark.message(
        rendered=Rendered(title="Grüße", body="Schön", html="<p>Schön</p>"), unsubscribe_url="https://shop.example/u"
    )

    (result,) = send(postmark, given)

    (request,) = postmark.server.requests
    mail = request.json()
    headers = {one["Name"]: one["Value"] for one in mail["Headers"]}
    assert (request.path, request.headers["x-postmark-server-token"]) == ("/email", "zzservertoken5d")
    assert (mail["Subject"], mail["TextBody"], mail["HtmlBody"]) == ("Grüße", "Schön", "<p>Schön</p>")
    assert mail["To"] == given.address
    assert headers["List-Unsubscribe"] == "<https://shop.example/u>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # By its own id, Postmark tells later what became of it.
    assert result == Receipt(backend="EmailChannel", provider_message_id="pm-0")


def test_amazon_is_given_all_of_the_message(ses):
    given = ses.message(rendered=Rendered(title="Grüße", body="Schön", html="<p>Schön</p>"))

    (result,) = send(ses, given)

    (request,) = ses.server.requests
    mail = message_from_bytes(base64.b64decode(request.json()["Content"]["Raw"]["Data"]), policy=policy.default)
    assert request.path == "/v2/email/outbound-emails"
    assert mail["Subject"] == "Grüße"
    assert mail["Message-ID"] == f"<{given.delivery_id.hex}@example.com>"
    assert result == Receipt(backend="EmailChannel", provider_message_id="ses-0")


def postmark_says(status, code, words="", **headers):
    return said(status, {"ErrorCode": code, "Message": words}, **headers)


@pytest.mark.parametrize(
    ("answer", "error", "code", "reason"),
    [
        (postmark_says(422, 300, "Invalid 'To' address: '{address}'."), PermanentError, "invalid", "invalid_address"),
        (postmark_says(422, 405, "Not allowed to send"), MisconfiguredError, "405", None),
        (postmark_says(422, 400, "Sender Signature not found"), MisconfiguredError, "400", None),
        (postmark_says(422, 412, "Account is Pending"), MisconfiguredError, "412", None),
        (postmark_says(500, 0), TransientError, "0", None),
        (said(403, "<html>"), MisconfiguredError, "403", None),
        (Said(502, b"<html>bad gateway"), TransientError, "502", None),
        (Said(200, b"{}"), AmbiguousError, "200", None),
        (Said(200, b"<html>"), AmbiguousError, "200", None),
    ],
    ids=lambda value: getattr(value, "__name__", None) or re.sub(r"\W+", " ", str(getattr(value, "body", value)))[:40],
)
def test_what_postmark_answers(postmark, answer, error, code, reason):
    answer.body = answer.body.replace(b"{address}", postmark.address(0).encode())
    answer.headers["Content-Length"] = str(len(answer.body))
    postmark.server.answers.append(answer)

    (result,) = send(postmark, postmark.message())

    assert type(result) is error
    assert result.code == code
    assert getattr(result, "reason", None) == reason


def test_postmark_says_when_to_come_back(postmark):
    postmark.server.answers.append(postmark_says(429, 429, retry_after="17"))

    (result,) = send(postmark, postmark.message())

    assert isinstance(result, ThrottledError)
    assert result.retry_after is not None
    assert result.retry_after.total_seconds() == 17


def test_an_address_that_a_service_gave_up_is_given_up(postmark):
    postmark.script(Answer.GONE)

    (result,) = send(postmark, postmark.message())

    assert isinstance(result, PermanentError)
    assert (result.reason, result.suppress) == (Reason.HARD_BOUNCE, True)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccountSuspendedException", 400, MisconfiguredError),
        ("SendingPausedException", 400, MisconfiguredError),
        ("MailFromDomainNotVerifiedException", 400, MisconfiguredError),
        ("SignatureDoesNotMatch", 403, MisconfiguredError),
        ("AccessDeniedException", 403, MisconfiguredError),
        ("LimitExceededException", 400, ThrottledError),
        ("ThrottlingException", 400, ThrottledError),
        ("BadRequestException", 400, PermanentError),
        ("InternalFailure", 500, TransientError),
    ],
)
def test_what_amazon_answers(ses, code, status, error):
    ses.server.answers.append(said(status, {"message": f"no, {CANARY}"}, x_amzn_ErrorType=code))

    (result,) = send(ses, ses.message())

    assert type(result) is error
    assert result.code == code


def test_a_service_that_does_not_answer_leaves_the_message_in_doubt(peer):
    peer.server.answers.append(Hang())
    adapter = peer.build()
    options = adapter._backend_options
    if "timeout" in options:
        options["timeout"] = 0.2
    else:
        options["client_params"]["config"] = Config(retries={"total_max_attempts": 1}, read_timeout=0.2)

    (result,) = list(adapter.send_batch([peer.message()]))
    adapter.close()

    assert type(result) is AmbiguousError


def test_without_credentials_nothing_is_sent_and_nothing_is_lost(ses, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    adapter = ses.build()
    for name in ("aws_access_key_id", "aws_secret_access_key"):
        del adapter._backend_options["client_params"][name]

    (result,) = list(adapter.send_batch([ses.message()]))
    adapter.close()

    assert type(result) is MisconfiguredError
    assert result.code == "NoCredentialsError"


def test_a_missing_setting_is_found_at_start_up():
    adapter = EmailChannel(from_email="shop@example.com", backend="anymail.backends.postmark.EmailBackend")

    assert adapter.check() == ["the mail backend cannot be made with these settings (AnymailConfigurationError)"]


def test_a_message_that_a_service_cannot_take_is_refused(postmark, settings):
    settings.ANYMAIL = {"SEND_DEFAULTS": {"metadata": {"day": object()}}}

    (result,) = send(postmark, postmark.message())

    assert isinstance(result, PermanentError)
    assert json.loads(json.dumps(result.code)) == "AnymailSerializationError"


def test_batches_share_a_session(peer):
    adapter = peer.adapter()

    for number in range(3):
        list(adapter.send_batch([peer.message(number)]))

    assert len(peer.accepted) == 3
    assert peer.server.connections == 1
