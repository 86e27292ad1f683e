"""The paths of the past."""

import re

from contract.documents.gateway_paths import gateway_paths
from gateway.http.activity_api import ACTIVITY_PARAMETERS
from gateway.http.past_api import PAGE_PARAMETERS
from history.pages import MAX_PAGE
from history.steps import MAX_STEPS, MAX_WINDOW_S
from history.summary import MAX_DAYS


def test_the_limits_of_the_past_are_those_of_the_code() -> None:
    """The contract imports none of them."""
    paths = gateway_paths()
    parameters = {
        part: {
            one["name"]: one
            for one in paths[f"/api/pillows/{{pillow}}/{part}"]["get"]["parameters"]
        }
        for part in ("history", "summary", "activity")
    }
    history, summary, activity = (parameters[part] for part in parameters)

    assert set(history) == {*PAGE_PARAMETERS, "pillow"}
    assert set(activity) == {*ACTIVITY_PARAMETERS, "pillow"}
    assert set(summary) == {"days", "tz", "pillow"}
    assert history["limit"]["schema"]["maximum"] == MAX_PAGE
    assert summary["days"]["schema"]["maximum"] == MAX_DAYS
    step = activity["step"]
    assert step["schema"]["maximum"] == MAX_WINDOW_S
    limits = f"at most {MAX_STEPS} steps and {MAX_WINDOW_S // 86_400} days"
    assert re.search(limits, step["description"])


def test_today_takes_several_pillows() -> None:
    """As the streams do."""
    names = {one["name"] for one in gateway_paths()["/api/today"]["get"]["parameters"]}

    assert names == {"tz", "pillow"}
