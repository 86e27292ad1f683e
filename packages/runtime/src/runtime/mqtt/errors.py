"""The exceptions of an MQTT session."""


class BrokerLost(Exception):
    """There is no connection, or it ended before the broker acknowledged a publish."""


class PublishRefused(Exception):
    """The broker refused a publish, or it cannot be sent.

    The message names the topic, the reason and, where a person can change it, what to check.
    """


class PublishTooLarge(PublishRefused):
    """A publish is larger than the broker accepts, so that it cannot succeed by being repeated."""


class BrokerUnusable(Exception):
    """The broker answers, but the session cannot work with it; the message says what to change."""
