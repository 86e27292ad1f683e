"""The adapters of the queue ports to Azure Queue Storage."""
