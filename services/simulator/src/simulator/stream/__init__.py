"""The stream: what pillows do, as messages on their way, with what goes wrong on it, in time."""
