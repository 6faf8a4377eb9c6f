package dev.graft.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.Items;
import dev.graft.v1.Item;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchItemsTest {
  @TempDir private Path directory;

  @Test
  void processesThatMeasureReadWhatWasWritten() throws IOException {
    List<Item> items = new ArrayList<>(BenchItems.random(20));
    items.add(Items.text(20, "a \"b\"\nc"));
    Path file = directory.resolve("items.jsonl");

    BenchItems.write(items, file);

    assertThat(BenchItems.read(file)).isEqualTo(items);
  }
}
