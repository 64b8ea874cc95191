"""Keeps no more than needed: periods per kind of data, legal holds, and the sweep that takes the rest away."""
