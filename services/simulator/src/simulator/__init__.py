"""The simulator: pillows that behave believably, and identically for the same seed.

`scenario` reads a scenario file and makes a plan of it. `model` computes what the plan's pillows
feel and report. `stream` turns reports into messages, injects faults and decides when each message
is due. `sender` sends them to one of `targets`; `runner` joins all of these, and `dashboard` and
`terminal` show the progress. `checking` compares what the live system shows with what the scenario
expects. `recording` writes real traffic to a file and plays it back. `commands` is the command
line.
"""
