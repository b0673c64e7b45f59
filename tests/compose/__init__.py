"""The system in containers, brought up, used, broken, restored: `make compose-test`."""
