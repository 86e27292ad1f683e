"""Auth: who may see which pillows, by tokens. It knows no connection."""
