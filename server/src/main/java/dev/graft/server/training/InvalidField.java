package dev.graft.server.training;

import dev.graft.server.GraftException;

/** Errors about a field of the request. */
final class InvalidField {
  private InvalidField() {}

  /**
   * @param field its name in the request, in snake_case
   * @param problem goes on after the name: "must be above 0"
   */
  static GraftException of(String field, String problem) {
    return GraftException.invalidArgument("INVALID_FIELD", field + " " + problem + ".")
        .with("field", field);
  }

  static void check(boolean valid, String field, String requirement, Object value) {
    if (!valid) {
      throw of(field, requirement + ", not " + value);
    }
  }
}
