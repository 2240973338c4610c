"""The dispute: messages, state machine, transcript, audit (specs/dispute.md). No I/O, clock or randomness inside."""
