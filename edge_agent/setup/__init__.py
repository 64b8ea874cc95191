"""Enrolment, doctor, the installer's local page, update."""
