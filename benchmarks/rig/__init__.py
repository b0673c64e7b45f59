"""What benchmarks against whole stacks share: starting them, load, CPU by process, rounds."""
