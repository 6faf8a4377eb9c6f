package dev.graft.client;

import dev.graft.v1.ClassSet;
import dev.graft.v1.Content;
import dev.graft.v1.FloatVector;
import dev.graft.v1.Item;
import dev.graft.v1.Label;
import dev.graft.v1.TokenIds;
import java.util.Iterator;

/**
 * Short ways to make items. An item's number is the caller's choice, different for each item of a
 * call; results carry it back.
 */
public final class Items {
  /**
   * No item, but put among those of an Extract call it asks for the results of the items before it:
   * they are computed without waiting for more. It has no result, and means nothing to a training.
   */
  public static final Item FLUSH = Item.newBuilder().build();

  private Items() {}

  /** Text, which the worker tokenizes. */
  public static Item text(long number, String text) {
    return of(number, Content.newBuilder().setText(text).build());
  }

  /** Token ids in the backbone's vocabulary, special tokens included, all of them real. */
  public static Item tokenIds(long number, int... ids) {
    TokenIds.Builder tokens = TokenIds.newBuilder();
    for (int id : ids) {
      tokens.addIds(id);
    }
    return of(number, Content.newBuilder().setTokenIds(tokens).build());
  }

  /** A precomputed feature of shape [values.length]. */
  public static Item features(long number, float... values) {
    return of(
        number,
        Content.newBuilder().setFeatures(Tensors.fromFloats(values, values.length)).build());
  }

  /** An item of any content. */
  public static Item of(long number, Content content) {
    return Item.newBuilder().setNumber(number).setContent(content).build();
  }

  /** The texts as items numbered from 0 on, made one by one as they are asked for. */
  public static Iterable<Item> texts(Iterable<String> texts) {
    return () -> {
      Iterator<String> remaining = texts.iterator();
      return new Iterator<>() {
        private long number;

        @Override
        public boolean hasNext() {
          return remaining.hasNext();
        }

        @Override
        public Item next() {
          return text(number++, remaining.next());
        }
      };
    };
  }

  /** The same item with one class as its label (cross-entropy). */
  public static Item withClass(Item item, int classIndex) {
    return withLabel(item, Label.newBuilder().setClassIndex(classIndex));
  }

  /** The same item with the classes that apply as its label (binary cross-entropy). */
  public static Item withClasses(Item item, int... classIndices) {
    ClassSet.Builder classes = ClassSet.newBuilder();
    for (int classIndex : classIndices) {
      classes.addClassIndices(classIndex);
    }
    return withLabel(item, Label.newBuilder().setClassSet(classes));
  }

  /** The same item with target values as its label (mean squared error, cosine embedding). */
  public static Item withValues(Item item, float... values) {
    FloatVector.Builder vector = FloatVector.newBuilder();
    for (float value : values) {
      vector.addValues(value);
    }
    return withLabel(item, Label.newBuilder().setValues(vector));
  }

  /** The same item with the other input of its pair (cosine embedding, InfoNCE). */
  public static Item withPair(Item item, Content pair) {
    return item.toBuilder().setPair(pair).build();
  }

  @SuppressWarnings("ReferenceEquality") // an item that somebody left empty is none
  static boolean isFlush(Item item) {
    return item == FLUSH;
  }

  private static Item withLabel(Item item, Label.Builder label) {
    return item.toBuilder().setLabel(label).build();
  }
}
