"""Plans that an engine makes for the commands of its user: how it is asked."""
