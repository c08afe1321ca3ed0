"""The verbs, a few to a module. A command loads what it needs when it is called: ``--help`` has to answer at once."""
