"""Real processes, real servers, real faults: what is promised, broken on purpose (docs/reliability.md)."""
