"""The published contract: the AsyncAPI and the OpenAPI document, made from the code.

What is added to the wire is added here too; tests compare these tables with the code:

1. a frame is a member of `contract.frames.ServerFrame` or `BrowserFrame`, and has an example in
   `gateway_channels.EXAMPLES`;
2. a topic has a row in `mqtt_channels.CHANNELS`, under the name of its method of `Topics`;
3. a route has a path in `gateway_paths`, `past_paths` or `ops_paths`; the body of its response
   is a type in `contract.http_types`, or, for operators, one of `devstack.service_schemas`;
4. a close code has a row in `contract.close_codes`.

`scripts/check` writes the documents; `python -m devstack.documents` does so alone.
"""
