"""Topics of pillows beside their states: availability, and discovery by Home Assistant."""
