"""The rig of benchmarks against whole stacks: starting them, load, CPU by process, rounds."""
