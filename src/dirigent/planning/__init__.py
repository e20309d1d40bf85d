"""What must change, in which order, and the program that does it. Pure: arguments in, values out.

A plan is made by a generator: what only the outside knows (a provider's proposal, an expression for
the worker) it yields as a request and gets as an answer. Same arguments and answers, same plan.
"""
