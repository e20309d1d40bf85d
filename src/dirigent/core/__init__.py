"""The run: facts in, commands out. Pure: no I/O, no clock, no randomness, no recursion over a program.

    run = replay(program, run_id, facts, tools)    # what happened
    commands = decide(run, now)                    # what to do about it

The same facts and the same time give the same commands on every machine, which is why a crash
between any two lines of the engine costs nothing but a question to the world.
"""
