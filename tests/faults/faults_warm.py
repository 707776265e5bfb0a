"""Imported once by the process that operations are forked from."""

import faults_logs
import faults_operations
import faults_published
import faults_reading

import holotype

__all__ = ["faults_logs", "faults_operations", "faults_published", "faults_reading"]

for _name in holotype.__all__:
    getattr(holotype, _name)
