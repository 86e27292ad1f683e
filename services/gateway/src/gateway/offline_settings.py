"""The setting of the page that browsers keep."""

from pydantic import Field

from runtime.settings import CommonSettings


class OfflineSettings(CommonSettings):
    """Whether browsers show the page without a network."""

    offline_page: bool = Field(
        True,
        alias="GATEWAY_OFFLINE_PAGE",
        description="Whether browsers keep the page, to show it with the word that they are "
        "offline; with false those that kept it remove it at their next visit.",
    )
