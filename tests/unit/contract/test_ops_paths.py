"""The paths of the operators' ports are on the servers that have them."""

from contract.documents.ops_paths import EVERY, GATEWAY, ops_paths


def test_every_path_names_its_servers() -> None:
    """The document's own server is the public port."""
    for path, item in ops_paths().items():
        assert item["servers"], path
        assert (GATEWAY in item["servers"]) == (path in ("/", "/healthz"))


def test_the_ports_are_the_defaults_of_the_settings() -> None:
    """As .env.example has them."""
    ports = [server["variables"]["port"]["default"] for server in (GATEWAY, *EVERY)]

    assert ports == ["8080", "8082", "8081", "8083", "8084"]
