package dev.graft.cli.items;

import dev.graft.cli.items.LabelValue.Kind;
import dev.graft.cli.items.LabelValue.Scalar;
import dev.graft.v1.ClassSet;
import dev.graft.v1.FloatVector;
import dev.graft.v1.Item;
import dev.graft.v1.Label;
import java.io.IOException;
import java.util.Optional;
import java.util.TreeSet;

/** Turns the labels of files into the targets of an objective. */
public final class Targets {
  private final ObjectiveKind objective;
  private final Optional<Classes> classes;
  private int vectorSize = -1;

  private Targets(ObjectiveKind objective, Optional<Classes> classes) {
    this.objective = objective;
    this.classes = classes;
  }

  /** Targets for an objective, with the classes that a training file has. */
  public static Targets of(ObjectiveKind objective, LabelSurvey survey) {
    return new Targets(
        objective,
        switch (objective) {
          case CROSS_ENTROPY -> Optional.of(atLeastTwo(Classes.of(survey), survey));
          case BINARY_CROSS_ENTROPY -> Optional.of(atLeastOne(Classes.of(survey), survey));
          case MEAN_SQUARED_ERROR, COSINE_EMBEDDING, INFO_NCE -> Optional.empty();
        });
  }

  private static Classes atLeastTwo(Classes classes, LabelSurvey survey) {
    if (classes.size() < 2) {
      throw survey
          .file()
          .bad("cross_entropy needs labels of at least two classes, found: " + classes.names());
    }
    return classes;
  }

  private static Classes atLeastOne(Classes classes, LabelSurvey survey) {
    if (classes.size() < 1) {
      throw survey.file().bad("no item has a class");
    }
    return classes;
  }

  public ObjectiveKind objective() {
    return objective;
  }

  /** The classes, for objectives that have some. */
  public Optional<Classes> classes() {
    return classes;
  }

  /** Finds what in a file does not fit the objective, before anything is sent. */
  public void check(ItemFile file) throws IOException {
    try (ItemFile.Items items = file.open()) {
      while (items.hasNext()) {
        toProto(file, items.next());
      }
    }
  }

  /** An item as it is sent, with its target. */
  public Item toProto(ItemFile file, InputItem item) {
    Item plain = item.toProto();
    return switch (objective) {
      case CROSS_ENTROPY -> labelled(plain, classIndex(file, item));
      case BINARY_CROSS_ENTROPY -> labelled(plain, classSet(file, item));
      case MEAN_SQUARED_ERROR -> labelled(plain, values(file, item, required(file, item)));
      case COSINE_EMBEDDING -> cosineEmbedding(file, item, plain);
      case INFO_NCE -> {
        if (item.pair().isEmpty()) {
          throw file.bad(item, "info_nce needs a \"pair\" for each item");
        }
        yield plain;
      }
    };
  }

  private static Item labelled(Item item, Label label) {
    return item.toBuilder().setLabel(label).build();
  }

  private static LabelValue required(ItemFile file, InputItem item) {
    return item.label().orElseThrow(() -> file.bad(item, "the item has no \"label\""));
  }

  private Label classIndex(ItemFile file, InputItem item) {
    LabelValue label = required(file, item);
    if (label.isList()) {
      throw file.bad(
          item, "cross_entropy needs one class as label, this is a list; use --objective bce");
    }
    return Label.newBuilder().setClassIndex(index(file, item, label.values().get(0))).build();
  }

  private Label classSet(ItemFile file, InputItem item) {
    LabelValue label = required(file, item);
    TreeSet<Integer> indices = new TreeSet<>();
    for (Scalar value : label.values()) {
      if (!indices.add(index(file, item, value))) {
        throw file.bad(item, "its label names the class " + value + " twice");
      }
    }
    return Label.newBuilder()
        .setClassSet(ClassSet.newBuilder().addAllClassIndices(indices))
        .build();
  }

  private int index(ItemFile file, InputItem item, Scalar value) {
    Classes known = classes.orElseThrow();
    int index = known.indexOf(value);
    if (index < 0) {
      throw file.bad(
          item,
          "the label "
              + value
              + " is not one of the "
              + known.size()
              + " classes in the training file ("
              + known.sample()
              + ")");
    }
    return index;
  }

  private Label values(ItemFile file, InputItem item, LabelValue label) {
    FloatVector.Builder vector = FloatVector.newBuilder();
    for (Scalar value : label.values()) {
      if (value.kind() == Kind.TEXT) {
        throw file.bad(item, objective + " needs numbers as labels, this is " + value);
      }
      float number = Float.parseFloat(value.text());
      if (!Float.isFinite(number)) {
        throw file.bad(item, value + " is too large for a 32-bit float");
      }
      vector.addValues(number);
    }
    checkSize(file, item, vector.getValuesCount());
    return Label.newBuilder().setValues(vector).build();
  }

  private void checkSize(ItemFile file, InputItem item, int size) {
    if (size == 0) {
      throw file.bad(item, objective + " needs at least one number as label");
    }
    if (vectorSize >= 0 && vectorSize != size) {
      throw file.bad(item, "its label has " + size + " numbers, those before it " + vectorSize);
    }
    vectorSize = size;
  }

  /**
   * A pair is alike (1, also when unset) or not (-1); without a pair the label is the vector to be
   * alike to.
   */
  private Item cosineEmbedding(ItemFile file, InputItem item, Item plain) {
    if (item.pair().isEmpty()) {
      return labelled(plain, values(file, item, required(file, item)));
    }
    if (item.label().isEmpty()) {
      return plain;
    }
    LabelValue label = item.label().get();
    String text = label.values().size() == 1 ? label.values().get(0).text() : "";
    if (label.isList() || !(text.equals("1") || text.equals("-1"))) {
      throw file.bad(item, "the label of a pair must be 1 (alike) or -1 (not alike)");
    }
    float value = Float.parseFloat(text);
    return labelled(
        plain, Label.newBuilder().setValues(FloatVector.newBuilder().addValues(value)).build());
  }
}
