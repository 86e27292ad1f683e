"""The names that people give to pillows, from the file of GATEWAY_LABELS_FILE.

- `parsing`: what a file says, or why it cannot be used
- `labels_file`: the file, read again when it changes
"""
