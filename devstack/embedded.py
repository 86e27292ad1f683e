"""The broker of the PyPI package `iotcore` (rumqttd), as a program.

    python devstack/embedded.py CONFIG.toml

The package's own command logs every packet as an error, and has no option against it.
"""

import logging
import sys


def main() -> None:
    """Serve until a signal ends the process."""
    # Imported only here: without the package, devstack.broker reports what is missing.
    from iotcore import IotCoreBroker

    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s: %(message)s")
    # rumqttd logs the routing of each packet in a span of level ERROR.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    IotCoreBroker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    main()
