"""Faults: killed processes and full disks, in their full number under the marker `faults`."""
