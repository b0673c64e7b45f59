"""The system on AWS, as code: two stacks, in a small and a large setting (docs/runbooks/aws.md)."""
