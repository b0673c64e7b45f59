"""What is measured, each figure beside what limits it, measured in the same run."""
