"""The plan of an examination: which checks there are."""

from functools import partial

from ops.doctor.broker_checks import check_broker
from ops.doctor.examination import Check
from ops.doctor.machine_checks import check_gateway_settings, check_machine
from ops.doctor.queue_checks import check_queues
from ops.doctor.service_checks import check_services
from ops.doctor.subject import Subject


def checks_of(subject: Subject) -> dict[str, Check]:
    """Return the checks by area, in the order in which they are printed."""
    checks: dict[str, Check] = {
        "machine": partial(check_machine, subject),
        "queue": partial(check_queues, subject),
        "broker": partial(check_broker, subject),
    }
    for endpoint in subject.endpoints:
        checks[endpoint.service] = partial(check_services, endpoint, subject)
    if any(one.service == "gateway" for one in subject.endpoints):
        checks["access"] = partial(check_gateway_settings, subject.gateway)
    return checks
