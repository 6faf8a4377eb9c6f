package dev.graft.server.jobs;

import dev.graft.server.GraftException;

/**
 * Where a content stands in the request, for errors.
 *
 * @param list field with the items: {@code items}, {@code train_items} or {@code eval_items}
 * @param number the item's, an unsigned integer
 * @param part which of the item's contents: {@code content} or {@code pair}
 */
public record ItemPlace(String list, long number, String part) {
  public static ItemPlace content(String list, long number) {
    return new ItemPlace(list, number, "content");
  }

  public static ItemPlace pair(String list, long number) {
    return new ItemPlace(list, number, "pair");
  }

  /** The field's path. */
  public String path() {
    return list + "[" + Long.toUnsignedString(number) + "]." + part;
  }

  /**
   * An error of the item.
   *
   * @param field of the content: {@code text}; empty for all of it
   * @param problem goes on after "Item 3"
   */
  GraftException error(String reason, String field, String problem) {
    String shown = Long.toUnsignedString(number);
    return GraftException.invalidArgument(reason, "Item " + shown + " " + problem + ".")
        .with("item", shown)
        .with("field", field.isEmpty() ? path() : path() + "." + field);
  }

  /**
   * A malformed item.
   *
   * @param problem goes on after the field's path
   */
  public GraftException invalid(String field, String problem) {
    String full = field.isEmpty() ? path() : path() + "." + field;
    return GraftException.invalidArgument("INVALID_ITEM", full + " " + problem + ".")
        .with("item", Long.toUnsignedString(number))
        .with("field", full);
  }

  /** An error of the item's label. */
  public GraftException labelError(String reason, String problem) {
    return new ItemPlace(list, number, "label").error(reason, "", problem);
  }
}
