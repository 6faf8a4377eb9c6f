package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.Tensors;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code graft quantize --compare} prints is what a client finds. */
@Timeout(300)
class QuantizeCompareTest {
  @TempDir private Path directory;

  @Test
  void schemesAreComparedOnItems() throws Exception {
    List<Item> items = TinyModel.labelled(20, 7);
    Files.writeString(directory.resolve("items.jsonl"), jsonLines(items));

    String[] quantize = {
      "quantize",
      "--backbone",
      TinyModel.ROOT.resolve(TinyModel.NAME).toString(),
      "--output",
      "made",
      "--scheme",
      "nf4,int8,q8_0",
      "--compare",
      "items.jsonl"
    };
    String compared;
    try (GraftProcess command = GraftProcess.start(directory, quantize)) {
      compared = command.succeeds().said();
    }

    Map<String, Double> printed = new TreeMap<>();
    Pattern.compile("(?m)^(\\w+) +\\S+ MB +\\S+ % +\\S+ +([0-9.]+) .* items.jsonl:[0-9]+$")
        .matcher(compared)
        .results()
        .forEach(row -> printed.put(row.group(1), Double.valueOf(row.group(2))));
    try (WorkerUnderTest worker =
            WorkerUnderTest.inProcess(
                new WorkerOptions().modelRoots(List.of(TinyModel.ROOT, directory)));
        GraftClient client = worker.client()) {
      List<float[]> source = features(client, TinyModel.NAME, items);
      for (String scheme : List.of("nf4", "int8", "q8_0")) {
        double mean = meanCosine(features(client, "made/" + scheme, items), source);
        assertThat(mean).as(scheme).isBetween(0.9, 1.0001);
        // The worker in the other process may have chosen another type to compute in.
        assertThat(printed.get(scheme)).as(scheme).isCloseTo(mean, Offset.offset(2e-3));
      }
    }
    assertThat(printed.get("int8")).isGreaterThan(printed.get("nf4"));
    assertThat(compared).contains("items.jsonl: 20 items, ", "\nsource  ");
  }

  private static List<float[]> features(GraftClient client, String backbone, List<Item> items) {
    ExtractSpec.Builder spec = ExtractSpec.newBuilder();
    spec.getFeaturesBuilder().getBackboneBuilder().setPath(backbone);
    return client.extractAsync(ExtractJob.of(spec.build()), items).join().results().stream()
        .sorted(Comparator.comparingLong(ItemResult::getNumber))
        .map(result -> Tensors.toFloats(result.getFeatures()))
        .toList();
  }

  private static double meanCosine(List<float[]> some, List<float[]> others) {
    double sum = 0;
    for (int item = 0; item < some.size(); item++) {
      double product = 0;
      double one = 0;
      double other = 0;
      for (int i = 0; i < some.get(item).length; i++) {
        double a = some.get(item)[i];
        double b = others.get(item)[i];
        product += a * b;
        one += a * a;
        other += b * b;
      }
      sum += product / (Math.sqrt(one) * Math.sqrt(other));
    }
    return sum / some.size();
  }

  private static String jsonLines(List<Item> items) {
    StringBuilder lines = new StringBuilder();
    for (Item item : items) {
      lines.append("{\"input_ids\": ").append(item.getContent().getTokenIds().getIdsList());
      lines.append("}\n");
    }
    return lines.toString();
  }
}
