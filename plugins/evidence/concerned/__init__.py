"""The person concerned: told by a notice, may look at the masked record, and may state and defend (陈述申辩)."""
