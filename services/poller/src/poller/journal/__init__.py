"""The journal: the last states of this poller on disk, so that a power cut loses none of them."""
