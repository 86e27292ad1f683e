"""The poller beside the leanest client there can be, and beside the SDK as documented."""
