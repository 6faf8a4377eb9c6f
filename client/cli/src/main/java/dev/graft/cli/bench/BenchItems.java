package dev.graft.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.client.Items;
import dev.graft.v1.Content;
import dev.graft.v1.Item;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Token ids of the lengths that texts have: log-normal with median 56, from 8 to 256; four classes.
 */
final class BenchItems {
  static final int CLASSES = 4;
  static final int VOCABULARY = 49_152;

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
                : 10 + random.nextInt(VOCABULARY - 10);
      }
      items.add(Items.withClass(Items.tokenIds(i, ids), label));
    }
    return items;
  }

  static long tokens(List<Item> items) {
    return items.stream().mapToLong(item -> item.getContent().getTokenIds().getIdsCount()).sum();
  }

  /** Writes items, a JSON object a line. */
  static void write(List<Item> items, Path file) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Item item : items) {
      ObjectNode line = Measurement.JSON.createObjectNode();
      Content content = item.getContent();
      if (content.hasText()) {
        line.put("text", content.getText());
      } else {
        ArrayNode ids = line.putArray("input_ids");
        content.getTokenIds().getIdsList().forEach(ids::add);
        line.put("label", item.getLabel().getClassIndex());
      }
      lines.append(line).append('\n');
    }
    Files.writeString(file, lines);
  }

  static List<Item> read(Path file) throws IOException {
    List<Item> items = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode item = Measurement.JSON.readTree(line);
      int number = items.size();
      if (item.has("text")) {
        items.add(Items.text(number, item.get("text").textValue()));
      } else {
        int[] ids = Measurement.JSON.treeToValue(item.get("input_ids"), int[].class);
        items.add(Items.withClass(Items.tokenIds(number, ids), item.get("label").intValue()));
      }
    }
    return items;
  }
}
