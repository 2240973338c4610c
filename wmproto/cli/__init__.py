"""The command line: stdout is data, stderr is people, secrets come by file or prompt."""
