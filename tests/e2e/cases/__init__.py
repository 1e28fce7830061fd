"""Tests that boot a host: every function test_NAME(name) of the modules here is one."""
