"""The title of the page and its link preview, for each request."""

from collections.abc import Callable

from starlette.requests import Request

from contract.topics import is_pillow_id
from gateway.http.assets import HeadMaker
from gateway.http.link_preview import preview_head
from gateway.http.public_address import public_address
from gateway.http.texts import Texts
from gateway.settings import GatewaySettings
from gateway.transport.forwarded import parse_networks


def head_maker(settings: GatewaySettings, label_of: Callable[[str], str]) -> HeadMaker:
    """Return what makes the elements for the page's head from a request.

    `label_of` returns what people call a pillow, "" for nothing. Where a token is needed to see it,
    the title has the id alone, which the request names.
    """
    proxies = parse_networks(settings.trusted_proxies)

    def head(request: Request, texts: Texts) -> str:
        peer = request.client.host if request.client else None
        address = public_address(settings.public_url, request.scope["headers"], peer, proxies)
        pillows = [one for one in request.query_params.getlist("pillow") if is_pillow_id(one)]
        name = pillows[0] if len(pillows) == 1 else None
        if name is not None and settings.auth == "none":
            name = label_of(name) or name
        return preview_head(pillows, name, address, texts)

    return head
