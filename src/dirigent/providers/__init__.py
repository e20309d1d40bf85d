"""Those who know how to manage resources, and the performer that lets them do it as a plan says.

A provider looks before it acts whenever an order is doubtful, reveals a secret only while it acts,
and says what is left when it fails. No provider knows another, the store, or the plan.
"""
