"""Registries as tables: XLSX and CSV in, with every fault by sheet, row and column; XLSX and CSV out."""
