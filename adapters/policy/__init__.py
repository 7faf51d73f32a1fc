"""Policy as data: what authors write, what engines read, what both mean."""
