package dev.graft.cli.items;

import dev.graft.v1.Content;
import dev.graft.v1.Item;
import java.util.Optional;

/**
 * One item of a file.
 *
 * @param number its place among the file's items, from 0
 * @param line the line where it starts, from 1
 */
public record InputItem(
    long number,
    long line,
    Optional<String> id,
    Content content,
    Optional<Content> pair,
    Optional<LabelValue> label) {

  /** What results call the item: its id, or its number. */
  public String name() {
    return id.orElseGet(() -> Long.toString(number));
  }

  /** The item as it is sent, without label. */
  public Item toProto() {
    Item.Builder item = Item.newBuilder().setNumber(number).setContent(content);
    pair.ifPresent(item::setPair);
    return item.build();
  }
}
