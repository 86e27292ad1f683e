"""nginx, Caddy, haproxy and Express in front of a gateway, with the files of deploy/proxies."""

import shutil
from functools import partial
from pathlib import Path

from devstack import ports, proxies
from devstack.node import find_node
from devstack.probes import tcp_accepts
from devstack.processes import ROOT, Program
from devstack.proxies import FOLDER, nginx_main
from tests.machine import need


class Proxy(proxies.Proxy):
    """A proxy with TLS, where it is installed."""

    def __init__(self, kind: str, gateway_port: int, folder: Path) -> None:
        need(shutil.which(kind) is not None, f"{kind} is not installed: apt-get install {kind}")
        super().__init__(kind, gateway_port, folder)


class PlainNginx(Program):
    """nginx without TLS on a free port, with the given lines in its server block."""

    def __init__(self, server: str, folder: Path) -> None:
        need(shutil.which("nginx") is not None, "nginx is not installed: apt-get install nginx")
        self.port = ports.free()
        main = folder / "plain.conf"
        main.write_text(
            nginx_main(
                folder,
                "map $http_upgrade $upgrade { default upgrade; '' ''; }\n"
                f"server {{ listen {ports.HOST}:{self.port}; server_name localhost; {server} }}",
            )
        )
        super().__init__(
            "nginx",
            ["nginx", "-c", str(main), "-e", str(folder / "error.log")],
            ready=partial(tcp_accepts, ports.HOST, self.port),
        )


class Express(Program):
    """The Express site of deploy/proxies on a free port."""

    def __init__(self, gateway_port: int) -> None:
        packages = ("express", "compression", "http-proxy-middleware")
        missing = [name for name in packages if not (ROOT / "node_modules" / name).is_dir()]
        need(not missing, f"{', '.join(missing)} not installed: run scripts/setup")
        self.port = ports.free()
        super().__init__(
            "express",
            [str(find_node()), str(FOLDER / "express.mjs")],
            ready=partial(tcp_accepts, ports.HOST, self.port),
            env={"GATEWAY": f"http://{ports.HOST}:{gateway_port}", "PORT": str(self.port)},
        )
