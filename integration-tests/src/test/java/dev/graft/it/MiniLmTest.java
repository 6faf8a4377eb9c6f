package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.Items;
import dev.graft.client.Tensors;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.LoadedBackbone;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real model, from its ONNX export, on real text. */
class MiniLmTest {
  private static final double TOLERANCE = 1e-5;

  private static List<MiniLm.Golden> golden;
  private static WorkerUnderTest worker;
  private static GraftClient client;

  @BeforeAll
  static void startWorker(@TempDir Path root) throws IOException {
    MiniLm.unpack(root);
    golden = MiniLm.golden();
    worker = WorkerUnderTest.inProcess(new WorkerOptions().modelRoots(List.of(root)).lanes(2));
    client = worker.client();
  }

  @AfterAll
  static void stopWorker() {
    client.close();
    worker.close();
  }

  @Test
  void embeddingsEqualTheReference() {
    Map<Long, ItemResult> results = embed(items());
    for (int i = 0; i < golden.size(); i++) {
      assertClose(results.get((long) i), golden.get(i).embedding(), "text " + i);
    }
  }

  @Test
  void tokensAreCountedAndCutAsTheReferenceDoes() {
    Map<Long, ItemResult> results = embed(items());
    for (int i = 0; i < golden.size(); i++) {
      ItemResult result = results.get((long) i);
      assertThat(result.getTokens()).as("text %d", i).isEqualTo(golden.get(i).tokens());
      assertThat(result.getTruncatedTokens())
          .as("text %d", i)
          .isEqualTo(golden.get(i).truncatedTokens());
    }
  }

  @Test
  void aBatchEqualsSingles() {
    Map<Long, ItemResult> together = embed(items());
    for (Item item : items()) {
      ItemResult alone = embed(List.of(item)).get(item.getNumber());
      assertClose(
          together.get(item.getNumber()),
          Tensors.toFloats(alone.getFeatures()),
          "text " + item.getNumber());
    }
  }

  @Test
  void aTextWithoutCharactersHasAnEmbedding() {
    ItemResult result = embed(List.of(Items.text(0, ""))).get(0L);
    assertThat(result.getTokens()).isEqualTo(2);
    assertThat(Tensors.toFloats(result.getFeatures())).hasSize(MiniLm.SIZE);
  }

  @Test
  void aTextOfAMillionCharactersInOneWordHasAnEmbedding() {
    ItemResult result = embed(List.of(Items.text(0, "a".repeat(1_000_000)))).get(0L);
    // A word of more than 100 characters is one unknown token.
    assertThat(result.getTokens()).isEqualTo(3);
  }

  @Test
  void aTextOfManyWordsIsCut() {
    ItemResult result = embed(List.of(Items.text(0, "a ".repeat(500_000)))).get(0L);
    assertThat(result.getTokens()).isEqualTo(512);
    assertThat(result.getTruncatedTokens()).isEqualTo(500_002 - 512);
  }

  @Test
  void theModelIsDescribed() {
    embed(List.of(Items.text(0, "hello")));
    LoadedBackbone model = client.describe().getLoadedBackbones(0);
    assertThat(model.getModelType()).isEqualTo("bert");
    assertThat(model.getHiddenSize()).isEqualTo(MiniLm.SIZE);
    assertThat(model.getBlocks()).isEqualTo(6);
    assertThat(model.getMaxTokens()).isEqualTo(512);
  }

  private static List<Item> items() {
    List<Item> items = new ArrayList<>();
    for (MiniLm.Golden each : golden) {
      items.add(Items.text(items.size(), each.text()));
    }
    return items;
  }

  private static Map<Long, ItemResult> embed(List<Item> items) {
    ExtractSpec spec = ExtractSpec.newBuilder().setFeatures(MiniLm.features()).build();
    Map<Long, ItemResult> results = new TreeMap<>();
    client
        .extractAsync(ExtractJob.of(spec), items)
        .join()
        .results()
        .forEach(result -> results.put(result.getNumber(), result));
    assertThat(results).hasSameSizeAs(items);
    return results;
  }

  /** Relative to the length of the expected vector. */
  private static void assertClose(ItemResult result, float[] expected, String what) {
    float[] actual = Tensors.toFloats(result.getFeatures());
    assertThat(actual).hasSameSizeAs(expected);
    double difference = 0;
    double length = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      length += Math.pow(expected[i], 2);
    }
    assertThat(Math.sqrt(difference / length)).as(what).isLessThanOrEqualTo(TOLERANCE);
  }
}
