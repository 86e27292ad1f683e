"""The setting of reports from browsers."""

from typing import Annotated

from pydantic import Field

from runtime.settings import CommonSettings


class ShownSettings(CommonSettings):
    """How many browsers report when they showed a state."""

    shown_sample: Annotated[float, Field(allow_inf_nan=False)] = Field(
        0,
        alias="GATEWAY_SHOWN_SAMPLE",
        ge=0,
        le=1,
        description="The share of browsers, 0 to 1, that report when they showed a state, each at "
        "most once a second; with 0 none is asked and no report counts.",
    )
