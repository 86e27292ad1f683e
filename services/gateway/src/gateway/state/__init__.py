"""What is known of each pillow now, and how it got there.

Read in this order: `state_store` (the newest states and the log of changes), `expiry_schedule`
(which deadlines have passed), `history` (past states), `state_age` (how old a state is when it
arrives), `reachable_time` (the clock that measures silence), `pillow_presence` (whether one pillow
is connected), `presence` (what becomes of a pillow: a new state, its availability, silence,
removal), `mqtt_consumer` (messages from the broker), `warn_once` (what it logs).
"""
