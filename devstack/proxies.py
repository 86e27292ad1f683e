"""nginx, Caddy and haproxy with the files of deploy/proxies, for tests and benchmarks."""

from functools import partial
from pathlib import Path

from devstack import ports
from devstack.certificates import certificate_for_loopback
from devstack.probes import tcp_accepts
from devstack.processes import ROOT, Program

FOLDER = ROOT / "deploy" / "proxies"
CERTIFICATE = "/etc/ssl/pillows.example.org.pem"
KEY = "/etc/ssl/pillows.example.org.key"
PROXIES = ("nginx", "caddy", "haproxy")

Replacements = dict[str, str]


class Proxy(Program):
    """A proxy with TLS on a free port; only names, ports and paths of its file are replaced."""

    def __init__(self, kind: str, gateway_port: int, folder: Path) -> None:
        self.port, self.plain_port = ports.free(), ports.free()
        self.certificate, key = certificate_for_loopback(folder)
        build = {"nginx": _nginx, "caddy": _caddy, "haproxy": _haproxy}[kind]
        replacements = {
            "127.0.0.1:8080": f"127.0.0.1:{gateway_port}",
            CERTIFICATE: str(self.certificate),
            KEY: str(key),
        }
        command = build(folder, self.port, self.plain_port, replacements)
        super().__init__(
            kind,
            command,
            ready=partial(tcp_accepts, ports.HOST, self.port),
            env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        )

    @property
    def url(self) -> str:
        """The URL of the site, without a slash at its end."""
        return f"https://{ports.HOST}:{self.port}"


def _nginx(folder: Path, port: int, plain_port: int, replacements: Replacements) -> list[str]:
    addresses = {
        "listen 443 ": f"listen {ports.HOST}:{port} ",
        "listen 80;": f"listen {ports.HOST}:{plain_port};",
    }
    site = _render("nginx.conf", {**replacements, **addresses})
    main = folder / "main.conf"
    main.write_text(nginx_main(folder, site, workers=2, connections=12_000))
    return ["nginx", "-c", str(main), "-e", str(folder / "error.log")]


def nginx_main(folder: Path, http: str, *, workers: int = 1, connections: int = 256) -> str:
    """Return a whole configuration of nginx, with the given lines in its http block."""
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off;\nworker_processes {workers};\npid {folder}/pid;\n"
        f"events {{ worker_connections {connections}; }}\n"
        f"http {{ access_log off;\n{temporary}{http} }}\n"
    )


def _caddy(folder: Path, port: int, plain_port: int, replacements: Replacements) -> list[str]:
    addresses = {
        "http://pillows.example.org {": f"http://{ports.HOST}:{plain_port} {{",
        "pillows.example.org {": f"https://{ports.HOST}:{port} {{",
    }
    site = _render("Caddyfile", {**replacements, **addresses})
    main = folder / "Caddyfile"
    main.write_text(f"{{\n\tadmin off\n\tauto_https off\n\tgrace_period 1s\n}}\n{site}")
    return ["caddy", "run", "--config", str(main), "--adapter", "caddyfile"]


def _haproxy(folder: Path, port: int, plain_port: int, replacements: Replacements) -> list[str]:
    both = folder / "both.pem"
    both.write_text(
        "".join(Path(replacements.pop(name)).read_text() for name in (CERTIFICATE, KEY))
    )
    addresses = {
        CERTIFICATE: str(both),
        "bind :443 ": f"bind {ports.HOST}:{port} ",
        "bind :80\n": f"bind {ports.HOST}:{plain_port}\n",
    }
    main = folder / "haproxy.cfg"
    main.write_text(_render("haproxy.cfg", {**replacements, **addresses}))
    return ["haproxy", "-db", "-f", str(main)]


def _render(name: str, replacements: Replacements) -> str:
    text = (FOLDER / name).read_text()
    for old, new in replacements.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text
