"""What the readers of formats share: tables and their faults, fields, streams, side tables, images."""
