package dev.graft.cli.bench;

import dev.graft.client.Items;
import dev.graft.v1.Item;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Token ids of the lengths that texts have: log-normal with median 56, from 8 to 256; four classes.
 */
final class BenchItems {
  static final int CLASSES = 4;

  private BenchItems() {}

  static List<Item> random(int count) {
    Random random = new Random(0);
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int length =
          (int) Math.max(8, Math.min(256, Math.round(Math.exp(random.nextGaussian() * 0.75) * 56)));
      int label = random.nextInt(CLASSES);
      int[] ids = new int[length];
      for (int j = 0; j < length; j++) {
        ids[j] =
            random.nextInt(10) < 3
                ? 10 + label * 50 + random.nextInt(50)
                : 10 + random.nextInt(BenchModel.VOCABULARY - 10);
      }
      items.add(Items.withClass(Items.tokenIds(i, ids), label));
    }
    return items;
  }

  static long tokens(List<Item> items) {
    return items.stream().mapToLong(item -> item.getContent().getTokenIds().getIdsCount()).sum();
  }

  /** Writes items for the Python baselines, a JSON object a line. */
  static void write(List<Item> items, Path file) throws IOException {
    Files.writeString(
        file,
        IntStream.range(0, items.size())
            .mapToObj(
                i ->
                    "{\"input_ids\": %s, \"label\": %d}\n"
                        .formatted(
                            items.get(i).getContent().getTokenIds().getIdsList(),
                            items.get(i).getLabel().getClassIndex()))
            .collect(Collectors.joining()));
  }
}
