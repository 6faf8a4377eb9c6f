package dev.graft.it;

import dev.graft.client.Items;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.v1.Backbone;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.Content;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Item;
import dev.graft.v1.Pooling;
import dev.graft.v1.TokenIds;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A tiny Llama with random weights, and inputs and outputs of the reference implementation. */
final class TinyModel {
  static final Path ROOT =
      Path.of("..", "server", "src", "test", "resources", "golden").toAbsolutePath().normalize();
  static final String NAME = "llama_base";
  static final int VOCABULARY = 99;

  private static final Safetensors<TensorEntry> GOLDEN =
      Safetensors.open(ROOT.resolve(NAME).resolve("golden.safetensors"));

  private TinyModel() {}

  static FeatureSpec.Builder features() {
    return FeatureSpec.newBuilder()
        .setBackbone(Backbone.newBuilder().setPath(NAME))
        .setComputeDtype(ComputeDtype.COMPUTE_DTYPE_FP32);
  }

  static FeatureSpec.Builder features(Pooling pooling) {
    return features().setPooling(pooling);
  }

  /** The reference's inputs, with its padding: {@code side} is "left" or "right". */
  static List<Item> goldenItems(String side) {
    TensorEntry ids = GOLDEN.tensors().get(side + ".input_ids");
    long[] idValues = longs(ids);
    long[] mask = longs(GOLDEN.tensors().get(side + ".attention_mask"));
    int rows = (int) ids.shape()[0];
    int columns = (int) ids.shape()[1];
    List<Item> items = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      TokenIds.Builder tokens = TokenIds.newBuilder();
      for (int i = 0; i < columns; i++) {
        tokens.addIds((int) idValues[row * columns + i]);
        tokens.addAttentionMask((int) mask[row * columns + i]);
      }
      items.add(Items.of(row, Content.newBuilder().setTokenIds(tokens).build()));
    }
    return items;
  }

  /** The reference's last hidden states under right padding, {@code [rows, columns, size]}. */
  static float[] goldenHiddenStates() {
    TensorEntry entry = GOLDEN.tensors().get("right.last_hidden_state");
    float[] values = new float[(int) (entry.bytes() / 4)];
    entry.read().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  static int[] goldenLengths() {
    return new int[] {12, 5, 9};
  }

  private static long[] longs(TensorEntry entry) {
    LongBuffer buffer = entry.read().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
    long[] values = new long[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  /** Random sequences of 3 to 40 tokens; the class decides which ids are frequent. */
  static List<Item> labelled(int count, long seed) {
    Random random = new Random(seed);
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int label = random.nextInt(3);
      int[] ids = new int[3 + random.nextInt(38)];
      for (int j = 0; j < ids.length; j++) {
        ids[j] =
            random.nextInt(3) == 0 ? random.nextInt(VOCABULARY) : label * 30 + random.nextInt(20);
      }
      items.add(Items.withClass(Items.tokenIds(i, ids), label));
    }
    return items;
  }
}
