package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.GraftRpcException;
import dev.graft.client.Items;
import dev.graft.client.Tensors;
import dev.graft.server.hub.FakeHub;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.Content;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.ItemResult;
import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.TokenIds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bundle that the command makes is served by a worker as one thing. */
class BundleTest {
  @TempDir private Path root;

  @Test
  void isServedAsOneThing() throws Exception {
    train("--include-backbone");
    Path moved = Files.move(root.resolve("bundle"), root.resolve("moved"));
    try (WorkerUnderTest worker =
            WorkerUnderTest.overSockets(new WorkerOptions().modelRoots(List.of(root)));
        GraftClient client = worker.client()) {
      ItemResult result = predict(client, "moved");
      assertThat(Tensors.toFloats(result.getLogits())).hasSize(2);
      float[] probabilities = Tensors.toFloats(result.getProbabilities());
      assertThat((double) probabilities[0] + probabilities[1]).isBetween(1 - 1e-5, 1 + 1e-5);

      Path weights = moved.resolve("backbone/model.safetensors");
      byte[] bytes = Files.readAllBytes(weights);
      bytes[bytes.length - 1] ^= 1;
      Files.write(weights, bytes);
      assertReason(client, "moved", "WRONG_BACKBONE");

      Files.writeString(moved.resolve("projector.safetensors"), "other");
      assertReason(client, "moved", "CORRUPT_BUNDLE");
      Files.writeString(moved.resolve("graft.json"), "{");
      assertReason(client, "moved", "CORRUPT_BUNDLE");
      Files.delete(moved.resolve("graft.json"));
      assertReason(client, "moved", "CORRUPT_BUNDLE");
      assertReason(client, "nowhere", "BACKBONE_NOT_FOUND");
      assertReason(client, "..", "OUTSIDE_MODEL_ROOTS");
    }
  }

  @Test
  void mayReferToItsBackbone() throws Exception {
    train();
    try (WorkerUnderTest worker =
            WorkerUnderTest.overSockets(
                new WorkerOptions().modelRoots(List.of(root, TinyModel.ROOT)));
        GraftClient client = worker.client()) {
      assertThat(predict(client, "bundle").getTokens()).isEqualTo(3);
      ExtractSpec both =
          ExtractSpec.newBuilder().setBundle("bundle").setFeatures(TinyModel.features()).build();
      assertThatThrownBy(
              () -> client.extractAsync(ExtractJob.of(both), TinyModel.labelled(1, 1)).join())
          .cause()
          .isInstanceOf(GraftRpcException.class)
          .hasMessageContaining("bundle stands for features and projector");
    }
  }

  @Test
  void holdsAGgufFile() throws Exception {
    try (WorkerUnderTest worker =
            WorkerUnderTest.inProcess(
                new WorkerOptions()
                    .modelRoots(List.of(TinyModel.ROOT))
                    .writableRoots(List.of(root)));
        GraftClient client = worker.client()) {
      QuantizeRequest.Builder request =
          QuantizeRequest.newBuilder()
              .setScheme(QuantizationScheme.QUANTIZATION_SCHEME_Q8_0)
              .setDestination("q8_0");
      request.getSourceBuilder().setPath(TinyModel.NAME);
      client.quantizeAsync(request.build()).join();
    }
    Path file = root.resolve("q8_0/model-Q8_0.gguf");
    train(file.toString(), Map.of(), "--include-backbone");
    assertThat(root.resolve("bundle/backbone/model-Q8_0.gguf")).hasSameBinaryContentAs(file);
    Files.delete(file);
    assertServed();
  }

  @Test
  void holdsWhatCameFromAHub() throws Exception {
    Path tiny = TinyModel.ROOT.resolve(TinyModel.NAME);
    try (FakeHub hub =
        new FakeHub()
            .with("config.json", Files.readString(tiny.resolve("config.json")))
            .with("model.safetensors", Files.readAllBytes(tiny.resolve("model.safetensors")))) {
      train(
          "hf://graft/tiny",
          Map.of(
              "HF_ENDPOINT",
              hub.endpoint().toString(),
              "HF_HOME",
              root.resolve("hub").toString(),
              "HF_HUB_OFFLINE",
              "0"),
          "--include-backbone");
    }
    assertThat(root.resolve("bundle/graft.json"))
        .content()
        .contains("hf://graft/tiny@" + FakeHub.COMMIT);
    Files.move(root.resolve("hub"), root.resolve("gone"));
    assertServed();
  }

  /** By a worker, and by the command with one of its own. */
  private void assertServed() throws Exception {
    try (WorkerUnderTest worker =
            WorkerUnderTest.inProcess(new WorkerOptions().modelRoots(List.of(root)));
        GraftClient client = worker.client()) {
      assertThat(Tensors.toFloats(predict(client, "bundle").getLogits())).hasSize(2);
    }
    Files.writeString(root.resolve("items.jsonl"), "{\"input_ids\": [5, 6, 7]}\n");
    try (GraftProcess predicting =
        GraftProcess.start(
            root,
            "predict",
            "--bundle",
            "bundle",
            "--input",
            "items.jsonl",
            "--output",
            "predictions.jsonl")) {
      predicting.succeeds();
    }
    assertThat(Files.readString(root.resolve("predictions.jsonl"))).contains("\"scores\"");
  }

  private static ItemResult predict(GraftClient client, String bundle) {
    ExtractSpec spec = ExtractSpec.newBuilder().setBundle(bundle).setPredictionsOnly(true).build();
    return client
        .extractAsync(
            ExtractJob.of(spec),
            List.of(
                Items.of(
                    0,
                    Content.newBuilder()
                        .setTokenIds(TokenIds.newBuilder().addIds(5).addIds(6).addIds(7))
                        .build())))
        .join()
        .results()
        .get(0);
  }

  private static void assertReason(GraftClient client, String bundle, String reason) {
    assertThatThrownBy(() -> predict(client, bundle))
        .cause()
        .isInstanceOfSatisfying(
            GraftRpcException.class, error -> assertThat(error.reason()).isEqualTo(reason));
  }

  private void train(String... options) throws IOException, InterruptedException {
    train(TinyModel.ROOT.resolve(TinyModel.NAME).toString(), Map.of(), options);
  }

  private void train(String backbone, Map<String, String> environment, String... options)
      throws IOException, InterruptedException {
    Files.writeString(
        root.resolve("train.jsonl"),
        "{\"input_ids\": [1, 2], \"label\": 0}\n{\"input_ids\": [3, 4], \"label\": 1}\n");
    List<String> arguments = new ArrayList<>(List.of("train", "--backbone", backbone));
    arguments.addAll(List.of("--train", "train.jsonl", "--output", "bundle"));
    arguments.addAll(List.of(options));
    try (GraftProcess training =
        GraftProcess.start(root, environment, arguments.toArray(String[]::new))) {
      training.succeeds();
    }
  }
}
