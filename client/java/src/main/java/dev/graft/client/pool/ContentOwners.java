package dev.graft.client.pool;

import dev.graft.client.GraftRpcException;
import dev.graft.v1.Item;
import java.util.List;
import java.util.stream.Stream;

/**
 * Whose contents they are that a training's features are computed of: they are numbered anew, as an
 * item and its pair, and items of both kinds, would have the same numbers.
 *
 * @param owners by the content's new number
 */
record ContentOwners(List<Owner> owners) {
  /** An item, or its pair. */
  record Owner(boolean trains, long number, boolean isPair) {
    String described() {
      return "%s item %s%s"
          .formatted(
              trains ? "Training" : "Evaluation",
              Long.toUnsignedString(number),
              isPair ? "'s pair" : "");
    }
  }

  static ContentOwners of(List<Item> trainItems, List<Item> evalItems) {
    return new ContentOwners(
        Stream.concat(
                trainItems.stream().flatMap(item -> owners(item, true)),
                evalItems.stream().flatMap(item -> owners(item, false)))
            .toList());
  }

  private static Stream<Owner> owners(Item item, boolean trains) {
    Owner content = new Owner(trains, item.getNumber(), false);
    return item.hasPair()
        ? Stream.of(content, new Owner(trains, item.getNumber(), true))
        : Stream.of(content);
  }

  /** The numbers of the training items among the owners of these contents. */
  List<Long> trainItems(List<Long> contents) {
    return items(contents, true);
  }

  List<Long> evalItems(List<Long> contents) {
    return items(contents, false);
  }

  private List<Long> items(List<Long> contents, boolean train) {
    return contents.stream()
        .map(content -> owners.get(content.intValue()))
        .filter(owner -> owner.trains() == train)
        .map(Owner::number)
        .distinct()
        .toList();
  }

  /** A failure about a content as one about its owner. */
  GraftRpcException translated(GraftRpcException failed) {
    String content = failed.metadata().getOrDefault("item", "");
    if (!content.matches("\\d{1,9}") || Integer.parseInt(content) >= owners.size()) {
      return failed;
    }
    Owner owner = owners.get(Integer.parseInt(content));
    return failed.aboutItem(owner.number(), owner.described());
  }
}
