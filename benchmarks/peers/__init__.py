"""Others who notify: the original design on Node, and the usual ways with Django."""
