"""Thin films with cavitation."""
