"""Fan-out: which subscribers get which bytes, and when.

1. `Dispatcher.publish(change)` gathers a change and schedules a flush: at once, or after the
   linger (`batching`) when the process is busy.
2. The flush asks the `flush_planner` what to write. It finds the groups that want each change
   (`subscriptions`), puts the changes into frames (`coalescing`) and encodes each frame once for
   each encoding (`encoding`).
3. Waiting subscribers, new or resumed, get a snapshot or what they missed (`catch_up`), in pieces
   (`walking`) from their `positions`, one after the other (`catch_up_queue`), and are live after
   the last one.
4. The `dispatcher` writes the bytes to the sockets of live subscribers (`raw_send`); what the
   system does not take goes to the transport.
5. A transport that buffers anything pauses its subscriber: it leaves the live ones, and only the
   point from which it resumes is kept.

Read in this order: `positions`, `subscriptions`, `encoding`, `coalescing`, `walking`, `catch_up`,
`writes`, `catch_up_queue`, `flush_planner`, `batching`, `raw_send`, `dispatcher`.
"""
