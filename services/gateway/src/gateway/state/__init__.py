"""What is known of each pillow now, and how it got there.

Read in this order: `state_store` (the newest states and the log of changes), `expiry_schedule`
(which deadlines have passed), `history` (past states), `presence` (what becomes of a pillow: a new
state, its availability, silence, removal), `mqtt_consumer` (messages from the broker).
"""
