"""The published contract: the AsyncAPI and the OpenAPI document, made from the code.

What is added to the wire is added here too; tests compare these tables with the code:

1. a frame is a member of `contract.frames.ServerFrame` or `BrowserFrame`: nothing else is needed;
2. a topic has a row in `mqtt_channels.CHANNELS`, under the name of its method of `Topics`;
3. a route has a path in `gateway_paths` or `ops_paths`;
4. a close code has a row in `contract.close_codes`.

`python -m devstack.documents` then writes the documents.
"""
