"""Providers on loopback, true to their protocols, that do as they are told."""
