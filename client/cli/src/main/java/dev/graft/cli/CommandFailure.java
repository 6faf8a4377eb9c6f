package dev.graft.cli;

/** A command cannot go on. The message is all that its user needs; the exit code is 1. */
final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CommandFailure(String message) {
    super(message);
  }
}
