package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.client.GraftClient;
import dev.graft.client.Items;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.torch.Kernel;
import dev.graft.v1.Backbone;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.IntervalStrategy;
import dev.graft.v1.Item;
import dev.graft.v1.Pooling;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.TrainSpec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What quantizing costs where it counts: the demo's job, on a real model and real text. One run's
 * accuracy moves by two points between its last epochs, so means over seeds are compared; the
 * features are computed once for each backbone.
 */
class QuantizedAccuracyTest {
  private static final int SEEDS = 8;

  /** One hundredth of the passages to test on. */
  private static final double ONE_POINT = 0.01;

  private static WorkerUnderTest worker;
  private static GraftClient client;
  private static List<Item> train;
  private static List<Item> test;
  private static int classes;
  private static double unquantized;

  @BeforeAll
  static void trainOnTheUnquantizedModel(@TempDir Path root) throws IOException {
    MiniLm.unpack(root);
    List<JsonNode> trainRows = rows("train.jsonl");
    List<String> names =
        List.copyOf(new TreeSet<>(trainRows.stream().map(QuantizedAccuracyTest::label).toList()));
    classes = names.size();
    train = items(trainRows, names);
    test = items(rows("test.jsonl"), names);
    worker =
        WorkerUnderTest.inProcess(
            new WorkerOptions()
                .modelRoots(List.of(root))
                .writableRoots(List.of(root))
                .kernel(Optional.of(Kernel.MKL))
                .lanes(2));
    client = worker.client();
    unquantized = accuracy("minilm", ComputeDtype.COMPUTE_DTYPE_FP32);
  }

  @AfterAll
  static void stopWorker() {
    client.close();
    worker.close();
  }

  @Test
  void fourBitsCostLessThanAPoint() {
    client
        .quantizeAsync(
            QuantizeRequest.newBuilder()
                .setSource(Backbone.newBuilder().setPath("minilm"))
                .setScheme(QuantizationScheme.QUANTIZATION_SCHEME_NF4)
                .setDestination("nf4")
                .build())
        .join();

    assertThat(accuracy("nf4", ComputeDtype.COMPUTE_DTYPE_FP32))
        .isGreaterThan(unquantized - ONE_POINT);
  }

  @Test
  void productsInEightBitsCostLessThanAPoint() {
    assertThat(accuracy("minilm", ComputeDtype.COMPUTE_DTYPE_INT8_DYNAMIC))
        .isGreaterThan(unquantized - ONE_POINT);
  }

  /** The share of passages to test on that are right, as the mean over the seeds. */
  private static double accuracy(String backbone, ComputeDtype dtype) {
    double mean =
        IntStream.rangeClosed(1, SEEDS)
            .mapToDouble(seed -> accuracy(backbone, dtype, seed))
            .average()
            .orElseThrow();
    assertThat(mean).as("far above guessing").isGreaterThan(2.0 / classes);
    return mean;
  }

  private static double accuracy(String backbone, ComputeDtype dtype, int seed) {
    TrainSpec.Builder spec = TrainSpec.newBuilder();
    spec.getFeaturesBuilder()
        .setBackbone(Backbone.newBuilder().setPath(backbone))
        .setPooling(Pooling.POOLING_MEAN)
        .setComputeDtype(dtype);
    spec.getProjectorBuilder().setKind(ProjectorKind.PROJECTOR_KIND_LINEAR);
    spec.getObjectiveBuilder().setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(classes));
    spec.getArgumentsBuilder()
        .setLearningRate(1e-2)
        .setPerDeviceTrainBatchSize(32)
        .setNumTrainEpochs(10)
        .setWarmupRatio(0.1)
        .setEvalStrategy(IntervalStrategy.INTERVAL_STRATEGY_EPOCH)
        .setSeed(seed);
    double last = Double.NaN;
    try (TrainingCall call = client.train(TrainJob.of(spec.build(), train).withEvalItems(test))) {
      while (call.hasNext()) {
        if (call.next() instanceof TrainEvent.Evaluated evaluated) {
          last = evaluated.evaluation().getMetricsOrThrow("eval_accuracy");
        }
      }
    }
    return last;
  }

  private static List<JsonNode> rows(String file) throws IOException {
    try (InputStream in =
            QuantizedAccuracyTest.class.getResourceAsStream("/dev/graft/cli/demo/" + file);
        MappingIterator<JsonNode> rows =
            new ObjectMapper().readerFor(JsonNode.class).readValues(in)) {
      return rows.readAll();
    }
  }

  private static String label(JsonNode row) {
    return row.get("label").textValue();
  }

  private static List<Item> items(List<JsonNode> rows, List<String> names) {
    List<Item> items = new ArrayList<>();
    for (JsonNode row : rows) {
      Item text = Items.text(items.size(), row.get("text").textValue());
      items.add(Items.withClass(text, names.indexOf(label(row))));
    }
    return items;
  }
}
