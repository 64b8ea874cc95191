"""Figures for people who answer for many houses: today at a glance, and the monthly report. Aggregates, no names."""
