"""The union of several databases, by what their schemas say of their tables (``lorarar gather``)."""
